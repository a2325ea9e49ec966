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
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TypeVar

from harness.errors import EngineError
from harness.fabric.namespaces import in_thread

CLONE_NEWNS = 0x00020000
CLONE_FS = 0x00000200
MS_REC = 0x4000
WRITABLE_HINT = (
    "disks must be on a file system that overlayfs can write to (ext4, xfs, tmpfs; not another overlay):"
    " HARNESS_CACHE chooses the place"
)
MS_PRIVATE = 1 << 18
MNT_DETACH = 2
UMASK = 0o022
"""Of everything that is done in a node, whatever that of our caller."""
HOST_ROOT = (0, 0)
"""User and group."""
_CAPABILITY_VERSION = 0x20080522
_NAMESPACES = ("mount", "uts", "ipc", "net", "pid", "cgroup")
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

    return in_thread("in-node", enter, function)


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

    return in_thread("in-node", enter, function)


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
                _mount_by_program(one)
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

    return in_thread("in-node", isolate, mounted)


def _mount_by_program(one: Mount) -> None:
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

    return in_thread("in-node", enter, function)


def entering(pid: int) -> tuple[str, ...]:
    """The words to put before a command so that it runs in all namespaces of a process."""
    # A user namespace that is ours already cannot be entered again.
    kinds = ("user", *_NAMESPACES) if root_of(pid) != HOST_ROOT else _NAMESPACES
    return ("/usr/bin/nsenter", "--target", str(pid), *(f"--{kind}" for kind in kinds))


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


def mount_overlay(path: str, source: str, *, spare_bytes: int | None) -> None:
    """Lay an overlay over a directory of the present mount namespace, so that it shows what was there.

    With ``spare_bytes`` so much (in whole pages) can be written to it, and then the disk is full; with None it is
    read-only. Whoever has a file open there, or works there, keeps what he has.
    """
    place, below = Path(f"/run/harness-{os.getpid()}-{threading.get_ident()}"), Path(path)
    place.mkdir(0o700)
    try:
        _mount(source, str(place), "tmpfs", "mode=755" + ("" if spare_bytes is None else ",size=1m,nr_inodes=64"))
        try:
            if spare_bytes is None:
                (place / "empty").mkdir()
                _mount(source, path, "overlay", f"lowerdir={path}:{place}/empty")
                return
            for name in ("upper", "work"):
                (place / name).mkdir()
            status = below.stat()
            os.chown(place / "upper", status.st_uid, status.st_gid)
            (place / "upper").chmod(status.st_mode & 0o7777)
            _mount(source, path, "overlay", f"lowerdir={path},upperdir={place}/upper,workdir={place}/work")
            _fill(place, spare_bytes)
        finally:
            _check(_libc.umount2(os.fsencode(place), MNT_DETACH), f"unmount {place}")
    finally:
        place.rmdir()


def _fill(place: Path, spare_bytes: int) -> None:
    """Use up the blocks of a file system, all but these, and then, where none are to be left, the inodes."""
    filler = place / "filler"
    with filler.open("wb", buffering=0) as stream, suppress(OSError):
        while True:
            stream.write(bytes(4096))
    if spare_bytes:
        os.truncate(filler, max(0, filler.stat().st_size - spare_bytes))
        return
    with suppress(OSError):
        for number in range(1 << 16):
            (place / str(number)).mkdir()


def _mount(source: str, path: str, kind: str, options: str) -> None:
    words = (os.fsencode(source), os.fsencode(path), os.fsencode(kind))
    _check(_libc.mount(*words, 0, os.fsencode(options)), f"mount {kind} on {path}")


def unmount(pid: int, path: str, source: str) -> None:
    """Take off what is mounted on a path, as a process sees it, as this source, if it is there."""
    for _ in range(_mounted(pid, path, source)):
        in_node(pid, lambda: _check(_libc.umount2(os.fsencode(path), MNT_DETACH), f"unmount {path}"))


def _mounted(pid: int, path: str, source: str) -> int:
    found = 0
    for line in Path(f"/proc/{pid}/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        found += before.split()[4] == path and after.split()[1] == source
    return found


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


def _check(result: int, what: str, hint: str = "") -> None:
    if result != 0:
        reason = os.strerror(ctypes.get_errno())
        raise EngineError(f"cannot {what}: {reason}" + (f"; {hint}" if hint else ""))
