"""The file systems of this host (proc(5), mountinfo), and whose master a MooseFS has."""

from dataclasses import dataclass
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
REMOTE = ("nfs", "nfs4", "cifs", "ceph", "fuse.glusterfs", "9p")


@dataclass(frozen=True, slots=True)
class Mount:
    """A line of proc(5), mountinfo."""

    point: Path
    kind: str
    device: str
    options: frozenset[str]

    @property
    def is_moosefs(self) -> bool:
        """Whether it is MooseFS: mfsmount 4 says so by the name of its device alone."""
        return self.kind in ("fuse.mfs", "moosefs") or (self.kind == "fuse" and self.device.startswith("mfs#"))

    @property
    def is_remote(self) -> bool:
        """Whether a network leads to it."""
        return self.kind in REMOTE or self.is_moosefs


def mounts(table: str | None = None) -> list[Mount]:
    """All of them, in the order in which they were mounted. Raises OSError."""
    found = []
    for row in [line.split() for line in (MOUNTS.read_text() if table is None else table).splitlines()]:
        rest = row[row.index("-") + 1 :]
        point, device = (word.encode().decode("unicode_escape") for word in (row[4], rest[1]))
        found.append(Mount(Path(point), rest[0], device, frozenset(row[5].split(",") + rest[2].split(","))))
    return found


def mount_of(path: Path, table: str | None = None) -> Mount:
    """The mount that a path is on. Raises OSError."""
    # POSIX has two slashes at the beginning as another root, and so has pathlib; Linux has none.
    path = Path("/" + str(path).lstrip("/")) if path.is_absolute() else path
    found = [one for one in mounts(table) if path == one.point or one.point in path.parents]
    if not found:
        raise OSError(f"{path} is on no mount")
    return max(reversed(found), key=lambda one: len(one.point.parts))


def master_of(mount: Mount) -> tuple[str, int]:
    """Host and port of a mount's MooseFS master, as mfsmount names its device ("mfs#HOST:PORT")."""
    host, _, port = mount.device.removeprefix("mfs#").partition(":")
    return host, int(port) if port.isdigit() else 9421
