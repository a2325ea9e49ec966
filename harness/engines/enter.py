"""Doing something inside another mount namespace: a node's, or a private one over a node's disk.

A thread, not the process, goes there (unshare(2) with CLONE_FS gives it a root and a working
directory of its own), so the kernel itself resolves layers, symbolic links and mounts as the
node sees them, and the rest of the process never leaves.
"""

import ctypes
import os
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TypeVar

from harness.errors import EngineError

CLONE_NEWNS = 0x00020000
CLONE_FS = 0x00000200
MS_REC = 0x4000
WRITABLE_HINT = (
    "disks must be on a file system that overlayfs can write to (ext4, xfs, tmpfs; not another overlay):"
    " HARNESS_CACHE chooses the place"
)
MS_PRIVATE = 1 << 18
UMASK = 0o022
"""Of everything that is done in a node, whatever that of our caller."""
HOST_ROOT = (0, 0)
"""User and group."""
_CAPABILITY_VERSION = 0x20080522
Result = TypeVar("Result")

_libc = ctypes.CDLL(None, use_errno=True)


def in_node(pid: int, function: Callable[[], Result]) -> Result:
    """Run ``function`` with the root directory and mounts of a process, as that process's root.

    Raises EngineError when it is gone.
    """
    user, group = root_of(pid)

    def enter() -> None:
        try:
            descriptor = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise EngineError(f"process {pid} is gone: {error.strerror}") from error
        try:
            _unshare(CLONE_FS)
            _check(_libc.setns(descriptor, CLONE_NEWNS), f"enter the mounts of process {pid}")
        finally:
            os.close(descriptor)
        _become(user, group)

    return _in_thread(enter, function)


def in_overlay(options: str, mount_point: Path, function: Callable[[], Result]) -> Result:
    """Run ``function`` with an overlay as root directory, mounted for this call only and seen by nobody else."""

    def enter() -> None:
        _unshare(CLONE_FS | CLONE_NEWNS)
        _check(_libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None), "make mounts private")
        target = os.fsencode(mount_point)
        _check(
            _libc.mount(b"overlay", target, b"overlay", 0, options.encode()), f"mount overlay {options}", WRITABLE_HINT
        )
        os.chroot(mount_point)
        os.chdir("/")

    return _in_thread(enter, function)


@dataclass(frozen=True, slots=True)
class Mount:
    """What mount(8) is asked for."""

    kind: str
    source: str
    target: Path
    options: str


def in_mounts(mounts: Sequence[Mount], root: Path, function: Callable[[], Result]) -> Result:
    """Run ``function`` with ``root`` as root directory, after these mounts, which nobody else ever sees.

    When this returns, they are unmounted, and what was written is on its way to where it belongs.
    """

    def isolate() -> None:
        _unshare(CLONE_FS | CLONE_NEWNS)
        _check(_libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None), "make mounts private")

    def mounted() -> Result:
        outside = os.open("/", os.O_PATH | os.O_CLOEXEC)
        done: list[Mount] = []
        try:
            for one in mounts:
                _mount(one)
                done.append(one)
            os.chroot(root)
            os.chdir("/")
            return function()
        finally:
            os.fchdir(outside)
            os.chroot(".")
            os.close(outside)
            for one in reversed(done):
                _check(_libc.umount2(os.fsencode(one.target), 0), f"unmount {one.target}")

    return _in_thread(isolate, mounted)


def _mount(one: Mount) -> None:
    # The program, not the system call: it is who knows of loop devices.
    command = ["mount", "-t", one.kind, "-o", one.options, one.source, str(one.target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise EngineError(f"cannot mount {one.source}: {' '.join(done.stderr.split())}")


def in_root(root: Path, function: Callable[[], Result]) -> Result:
    """Run ``function`` with a directory as root directory, as the user and group that it belongs to.

    Root of an unprivileged node is an ordinary user of ours, and so on its disk.
    """

    def enter() -> None:
        _unshare(CLONE_FS)
        os.chroot(root)
        os.chdir("/")
        owner = os.stat("/")
        _become(owner.st_uid, owner.st_gid)

    return _in_thread(enter, function)


def root_of(pid: int) -> tuple[int, int]:
    """Our names for user and group 0 of a process (user_namespaces(7)): 0 and 0 unless it has users of its own.

    Raises EngineError when it is gone.
    """
    return _mapped(pid, "uid"), _mapped(pid, "gid")


def _mapped(pid: int, kind: str) -> int:
    try:
        lines = [line.split() for line in Path(f"/proc/{pid}/{kind}_map").read_text().splitlines()]
    except OSError as error:
        raise EngineError(f"process {pid} is gone: {error.strerror}") from error
    return next((int(outside) for inside, outside, _ in lines if inside == "0"), 0)


class _CapabilityHeader(ctypes.Structure):
    _fields_: ClassVar = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _CapabilityData(ctypes.Structure):
    _fields_: ClassVar = [(name, ctypes.c_uint32) for name in ("effective", "permitted", "inheritable")]


def _become(user: int, group: int) -> None:
    """Have what this thread makes on disks belong to this user and group; it keeps all its rights (capabilities(7)).

    A thread cannot enter a user namespace, a process of several threads neither; and on the disks of such a
    namespace nobody from outside of it can own anything.
    """
    if (user, group) == HOST_ROOT:
        return
    header = _CapabilityHeader(_CAPABILITY_VERSION, 0)
    rights = (_CapabilityData * 2)()
    _check(_libc.capget(ctypes.byref(header), rights), "read this thread's capabilities")
    _libc.setfsgid(group)
    _libc.setfsuid(user)  # takes the rights over files away
    _check(_libc.capset(ctypes.byref(header), rights), "keep this thread's capabilities")


def _unshare(what: int) -> None:
    _check(_libc.unshare(what), "unshare")
    os.umask(UMASK)  # which CLONE_FS has made this thread's own


def _in_thread(enter: Callable[[], None], function: Callable[[], Result]) -> Result:
    outcome: list[Result] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            enter()
            outcome.append(function())
        except BaseException as error:  # carried over to the calling thread below
            failure.append(error)

    thread = threading.Thread(target=run, name="in-node")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]


def _check(result: int, what: str, hint: str = "") -> None:
    if result != 0:
        reason = os.strerror(ctypes.get_errno())
        raise EngineError(f"cannot {what}: {reason}" + (f"; {hint}" if hint else ""))
