"""The kernel's NBD with nbd-client(8), and nbdkit(1) as the server of each volume, on a socket of its own."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...pool.block_devices import devices, facts_of
from ...pool.core import IndexFacts
from ..ports import PortFailed
from .commands import command_line, run, until
from .nbdkit import Nbdkit

SYS_BLOCK = Path("/sys/block")
BLOCK_BYTES = 4096


class NbdClient:
    """``folder`` is where the servers' sockets and process ids are."""

    name = "nbd-client"

    def __init__(self, folder: Path) -> None:
        self._servers = Nbdkit(folder)

    def absent(self) -> str | None:
        """What is lacking."""
        if not devices(SYS_BLOCK, "nbd"):
            return "the kernel has no NBD devices: modprobe nbd"
        missing = [program for program in ("nbd-client", "nbdkit") if shutil.which(program) is None]
        return f"not installed: apt-get install {' '.join(missing)}" if missing else None

    def indexes(self) -> Sequence[int]:
        """All of the kernel's."""
        return devices(SYS_BLOCK, "nbd")

    def device(self, index: int) -> Path:
        """Of NBD."""
        return Path(f"/dev/nbd{index}")

    def serving(self) -> Mapping[int, str] | None:
        """By the process that the kernel names: ours are called with the socket of one of our servers."""
        found = {}
        for index in self.indexes():
            facts = self.facts(index, None)
            if facts.server_pid is not None:
                words = command_line(facts.server_pid)
                file = self._servers.meant_for(index) if str(self._servers.socket(index)) in words else None
                found[index] = file or f"another program ({' '.join(words[:1]) or facts.server_pid})"
        return found

    def facts(self, index: int, serves: str | None) -> IndexFacts:
        """From sysfs."""
        return facts_of(f"nbd{index}", serves)

    def attach(self, index: int, file: Path, keep: Sequence[int]) -> None:
        """A server for the file, then the device."""
        self._servers.start(index, file, keep)
        # Without netlink a process stays, and the kernel names it: that is how a device is known to be ours. It would
        # keep the locks as long as the device, so it does not inherit them: the record and the cool-down do instead.
        where = ["-unix", str(self._servers.socket(index)), str(self.device(index)), "-nonetlink"]
        run(["nbd-client", *where, "-b", str(BLOCK_BYTES)])
        until(lambda: self.facts(index, None).size_bytes > 0, f"{self.device(index)} has a size")

    def detach(self, index: int, file: Path, keep: Sequence[int]) -> None:
        """The device, then its server."""
        if self.facts(index, None).attached:
            run(["nbd-client", "-d", str(self.device(index))], keep)
            until(lambda: not self.facts(index, None).attached, f"{self.device(index)} is let go")
        if self._servers.meant_for(index) not in (None, str(file)):
            raise PortFailed(f"index {index} is for another file")
        self._servers.stop(index)
