"""LXD's storage pools: where a node's disk is a snapshot of its image, and where it is unpacked anew for every node."""

import contextlib
import fcntl
import os
import shutil
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from harness.engines.remains import COPIES, SNAPSHOTS
from harness.errors import EngineError

OWN = {SNAPSHOTS: "harness-btrfs", COPIES: "harness"}
"""The pools of the harness's own daemon, by driver."""
PACKAGE, PROGRAM = "btrfs-progs", "mkfs.btrfs"
# A node's disk need not outlive the host, so nothing waits for the host's own disk.
_OPTIONS = "user_subvol_rm_allowed,noatime,nobarrier"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_DEVICES = Path("/dev")
_LOOP_CLR_FD, _LOOP_GET_STATUS64 = 0x4C01, 0x4C05
_STATUS_BYTES = 232


def lacks_program() -> bool:
    """Whether the program that makes a pool of snapshots is missing."""
    return shutil.which(PROGRAM, path=_PATH) is None


class MakesPools(Protocol):
    """LXD, as far as it matters here."""

    def make_pool(self, name: str, driver: str, config: Mapping[str, str]) -> None:
        """Have a usable storage pool of this name. EngineError, in LXD's words, when it cannot be made."""


def ensure_own_pool(daemon: MakesPools) -> str | None:
    """Have a pool in the harness's own daemon: of snapshots, in a sparse file of its own on a loop device.

    Where that is impossible, one of plain directories; returns why, and what to do about it.
    """
    try:
        daemon.make_pool(OWN[SNAPSHOTS], SNAPSHOTS, {"btrfs.mount_options": _OPTIONS})
    except EngineError as error:
        daemon.make_pool(OWN[COPIES], COPIES, {})
        if lacks_program():
            return f"{PACKAGE} is not installed: harness engine install lxd"
        return f"no {SNAPSHOTS} on a loop device here: {error}"
    return None


def attached(below: Path) -> tuple[str, ...]:
    """The loop devices whose files are in a directory: what has them mounted has not ended yet."""
    files = {(state.st_dev, state.st_ino) for state in map(os.stat, below.glob("*"))}
    # Not by the name that the kernel gives: in a mount namespace that is about to end, it is another one.
    return tuple(device.name for device in sorted(_DEVICES.glob("loop[0-9]*")) if _behind(device) in files)


def detach(below: Path) -> None:
    """Take the files in a directory off their loop devices: of those in use, as soon as nobody uses them any more."""
    for name in attached(below):
        with contextlib.suppress(OSError), (_DEVICES / name).open("rb", buffering=0) as opened:
            fcntl.ioctl(opened, _LOOP_CLR_FD)


def _behind(device: Path) -> tuple[int, int] | None:
    """Device and inode of the file behind a loop device; None when it has none (loop(4), LOOP_GET_STATUS64)."""
    status = bytearray(_STATUS_BYTES)
    try:
        with device.open("rb", buffering=0) as opened:
            fcntl.ioctl(opened, _LOOP_GET_STATUS64, status)
    except OSError:
        return None
    number, inode = struct.unpack_from("=QQ", status)
    return number, inode
