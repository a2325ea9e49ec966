"""MooseFS's own: `mfsbdev`, a daemon that serves files of MooseFS through the kernel's NBD (mfsbdev(8), 4.57).

Device and link are always named: left to choose, parallel maps on a fresh node were given one device. The daemon makes
its link by the name that it is given, and refuses names that are taken, so names are ours alone (volume, quoted).
"""

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from ...pool.block_devices import devices, facts_of
from ...pool.core import IndexFacts
from ..ports import PortFailed
from .commands import run

SYS_BLOCK = Path("/sys/block")
_ROW = re.compile(r"\bfile:\s*(?P<file>.+?)\s*;\s*device:\s*/dev/nbd(?P<index>\d+)")


class Mfsbdev:
    """Volumes of one mount of MooseFS; ``mount`` is where their files are seen, ``socket`` the daemon's."""

    name = "mfsbdev"

    def __init__(self, mount: Path, socket: Path = Path("/dev/mfs/nbdsock")) -> None:
        self._mount, self._socket = mount, socket

    def absent(self) -> str | None:
        """What is lacking."""
        if not devices(SYS_BLOCK, "nbd"):
            return "the kernel has no NBD devices: modprobe nbd"
        if shutil.which("mfsbdev") is None:
            return "mfsbdev is not installed: apt-get install moosefs-client"
        if not self._socket.is_socket():
            return f"no mfsbdev daemon listens at {self._socket}: mfsbdev start -H MASTER -l {self._socket}"
        return None

    def indexes(self) -> Sequence[int]:
        """All of the kernel's."""
        return devices(SYS_BLOCK, "nbd")

    def device(self, index: int) -> Path:
        """Of NBD."""
        return Path(f"/dev/nbd{index}")

    def serving(self) -> Mapping[int, str] | None:
        """What the daemon lists; a device that it does not list is another's."""
        try:
            said = run(["mfsbdev", "list", "-l", str(self._socket)])
        except PortFailed:
            return None
        return {index: str(self._mount / file.lstrip("/")) for index, file in listed(said).items()}

    def facts(self, index: int, serves: str | None) -> IndexFacts:
        """From sysfs."""
        return facts_of(f"nbd{index}", serves)

    def attach(self, index: int, file: Path, keep: Sequence[int]) -> None:
        """`mfsbdev map`."""
        where = ["-d", str(self.device(index)), "-n", f"index-{index}-{quote(file.name, safe='')}"]
        run(["mfsbdev", "map", "-l", str(self._socket), "-f", self._inside(file), *where], keep)

    def detach(self, index: int, file: Path, keep: Sequence[int]) -> None:
        """`mfsbdev unmap`, by the file: were the device given to two, the other one keeps it."""
        serving = self.serving()
        if serving is not None and str(file) not in serving.values():
            return
        run(["mfsbdev", "unmap", "-l", str(self._socket), "-f", self._inside(file)], keep)

    def _inside(self, file: Path) -> str:
        try:
            return f"/{file.relative_to(self._mount)}"
        except ValueError as error:
            raise PortFailed(f"{file} is not below {self._mount}, where MooseFS is mounted") from error


def listed(said: str) -> dict[int, str]:
    """Index -> file as MooseFS calls it, from what `mfsbdev list` prints."""
    found = (_ROW.search(line) for line in said.splitlines())
    return {int(one["index"]): one["file"] for one in found if one}
