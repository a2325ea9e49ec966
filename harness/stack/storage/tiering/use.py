"""How volumes are used: by the times of their files, and by what the kernel has counted of their devices here."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..entries import Entry, entries_of

SYS_BLOCK = Path("/sys/block")
SECTOR_BYTES = 512


@dataclass(frozen=True, slots=True)
class Folder:
    """What is in it are volumes, each a file or a folder."""

    path: Path
    least_copies: int = 2


class Rates:
    """Bytes a second of devices, since the look before; of the first look, none."""

    def __init__(self, sys_block: Path = SYS_BLOCK) -> None:
        self._sys_block = sys_block
        self._before: dict[str, tuple[float, int]] = {}

    def look(self, devices: Mapping[str, str], now_s: float) -> dict[str, float]:
        """Volume -> device in, volume -> rate out; ``now_s`` is monotonic. A device that was mapped anew has none."""
        found: dict[str, float] = {}
        counted: dict[str, tuple[float, int]] = {}
        for volume, device in devices.items():
            moved = moved_bytes(self._sys_block / Path(device).name / "stat")
            if moved is None:
                continue
            counted[volume] = (now_s, moved)
            at_s, before = self._before.get(volume, (now_s, moved))
            if now_s > at_s and moved >= before:
                found[volume] = (moved - before) / (now_s - at_s)
        self._before = counted
        return found


def moved_bytes(stat: Path) -> int | None:
    """Read and written since there is the device (Documentation/block/stat)."""
    try:
        words = stat.read_text().split()
        return (int(words[2]) + int(words[6])) * SECTOR_BYTES
    except (OSError, ValueError, IndexError):
        return None


def rate_of(entry: Entry, rates: Mapping[str, float]) -> float:
    """Of all devices of an entry."""
    return sum(rate for volume, rate in rates.items() if entry.path in (Path(volume), *Path(volume).parents))


def entries(folders: Iterable[Folder]) -> list[tuple[Entry, Folder]]:
    """Of all folders. Raises OSError."""
    return [(entry, folder) for folder in folders for entry in entries_of(folder.path)]


def idle_s(entry: Entry) -> float:
    """Since it was used last; nobody has used anything in the future."""
    return max(0.0, time.time() - entry.used_s)
