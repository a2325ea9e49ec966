"""For hosts whose kernel has no NBD: nbdkit serves, nbdfuse(1) shows it as a file, a loop device makes that a disk.

Slower, and every claim about collisions of the kernel's NBD is not shown by it. Loop devices belong to the whole host,
so the pool begins at a high number, which others seldom reach.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...mounts import mounts
from ...pool.block_devices import facts_of
from ...pool.core import IndexFacts
from ..ports import AttachTaken, PortFailed
from .commands import run, until
from .nbdkit import Nbdkit

FIRST_LOOP = 64
SIZE = 16


class Userspace:
    """``folder`` has the sockets, and a file for each index to be mounted over."""

    name = "userspace"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._servers = Nbdkit(folder)

    def absent(self) -> str | None:
        """What is lacking."""
        if not Path("/dev/loop-control").exists():
            return "there are no loop devices (/dev/loop-control): modprobe loop"
        if not Path("/dev/fuse").exists():
            return "there is no FUSE (/dev/fuse): modprobe fuse"
        wanted = {"nbdkit": "nbdkit", "nbdfuse": "libnbd-bin", "fusermount3": "fuse3"}
        missing = [package for program, package in wanted.items() if shutil.which(program) is None]
        return f"not installed: apt-get install {' '.join(missing)}" if missing else None

    def indexes(self) -> Sequence[int]:
        """A fixed pool."""
        return range(SIZE)

    def device(self, index: int) -> Path:
        """A loop device."""
        return Path(f"/dev/loop{FIRST_LOOP + index}")

    def serving(self) -> Mapping[int, str] | None:
        """By the file that the loop device has below it."""
        found = {}
        for index in self.indexes():
            backing = Path("/sys/block", self.device(index).name, "loop/backing_file")
            try:
                below = backing.read_text().strip()
            except OSError:
                continue
            ours = below == str(self._shown(index))
            found[index] = (self._servers.meant_for(index) if ours else None) or f"another program's loop over {below}"
        return found

    def facts(self, index: int, serves: str | None) -> IndexFacts:
        """From sysfs."""
        return facts_of(self.device(index).name, serves, pid_file="loop/backing_file")

    def attach(self, index: int, file: Path, keep: Sequence[int]) -> None:
        """Server, file, loop."""
        self._servers.start(index, file, keep)
        shown = self._shown(index)
        shown.touch()
        address = f"nbd+unix:///?socket={self._servers.socket(index)}"
        # It stays until it is unmounted, so it does not inherit the locks. -C 1: the server takes one client only.
        nbdfuse = subprocess.Popen(
            ["nbdfuse", "-C", "1", str(shown), address],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        until(lambda: os.path.ismount(shown) or nbdfuse.poll() is not None, f"nbdfuse shows {shown}")
        if nbdfuse.poll() is not None:
            raise PortFailed(f"nbdfuse ended with {nbdfuse.returncode} instead of showing {file}")
        try:
            run(["losetup", "--direct-io=on", str(self.device(index)), str(shown)], keep)
        except AttachTaken:
            # The device is another program's now, so nobody would look for what is meant to be below it.
            self._take_down(index, keep)
            raise

    def detach(self, index: int, file: Path, keep: Sequence[int]) -> None:
        """The same backwards."""
        if self._servers.meant_for(index) not in (None, str(file)):
            raise PortFailed(f"index {index} is for another file")
        serving = self.serving() or {}
        if index in serving:
            run(["losetup", "-d", str(self.device(index))], keep)
            until(lambda: index not in (self.serving() or {}), f"{self.device(index)} is let go")
        self._take_down(index, keep)

    def _take_down(self, index: int, keep: Sequence[int]) -> None:
        """What is below the loop device."""
        shown = self._shown(index)
        if _is_mounted(shown):
            run(["fusermount3", "-u", str(shown)], keep)
        shown.unlink(missing_ok=True)
        self._servers.stop(index)

    def _shown(self, index: int) -> Path:
        return self._folder / f"disk-{index}"


def _is_mounted(path: Path) -> bool:
    """By the table of mounts: one whose program died is mounted still, and cannot even be looked at."""
    return any(one.point == path for one in mounts())
