"""What is about to be done, and the file systems that it is done on."""

import os
from dataclasses import dataclass
from pathlib import Path

from ..places import Places

MOUNTS = Path("/proc/self/mountinfo")


@dataclass(frozen=True, slots=True)
class Operation:
    """A move; both names absolute."""

    source: Path
    target: Path
    places: Places
    keep_source: bool = False


@dataclass(frozen=True, slots=True)
class Mount:
    """A line of proc(5), mountinfo."""

    point: Path
    kind: str
    device: str
    options: frozenset[str]

    @property
    def is_moosefs(self) -> bool:
        """Whether it is MooseFS."""
        return self.kind in ("fuse.mfs", "moosefs")


def mount_of(path: Path, table: str | None = None) -> Mount:
    """The mount that a path is on. Raises OSError."""
    rows = [line.split() for line in (MOUNTS.read_text() if table is None else table).splitlines()]
    found = []
    for row in rows:
        rest = row[row.index("-") + 1 :]
        point = Path(row[4].encode().decode("unicode_escape"))
        if path == point or point in path.parents:
            found.append(Mount(point, rest[0], rest[1], frozenset(row[5].split(",") + rest[2].split(","))))
    if not found:
        raise OSError(f"{path} is on no mount")
    return max(reversed(found), key=lambda one: len(one.point.parts))


def master_of(mount: Mount) -> tuple[str, int]:
    """Host and port of a mount's MooseFS master, as mfsmount names its device ("mfs#HOST:PORT")."""
    host, _, port = mount.device.removeprefix("mfs#").partition(":")
    return host, int(port) if port.isdigit() else 9421


def exists(path: Path) -> bool:
    """Whether there is anything of this name, a broken link included."""
    return os.path.lexists(path)
