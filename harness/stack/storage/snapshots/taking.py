"""Makes and deletes snapshots: lazy copies of MooseFS (mfsmakesnapshot), or clones of the file system (FICLONE).

Both take no time and no room at first, and what is written to the volume later does not change them. A file system that
has neither gets none: another name for the same file would change with it. What a guest has not written yet is not in
it, as after a power cut.
"""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..entries import Entry, entries_of, entry_of
from ..mapping.drivers.commands import run
from ..mapping.ports import PortFailed
from ..moosefs import within_reach
from ..mounts import mount_of
from ..moves.plain_files import clone
from .core import Due, Kind, Policy, Taken, due, parsed

HIDDEN = ".mfs-autonomy-snapshots"
"""Beside the volumes, so that it is on their file system."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """As the settings say."""

    folders: tuple[Path, ...]
    policy: Policy = field(default_factory=Policy)
    every_s: int = 60
    """How often it is looked."""


@dataclass(frozen=True, slots=True)
class Snapshots:
    """Of the volumes in one folder."""

    folder: Path

    @property
    def into(self) -> Path:
        """Where they are."""
        return self.folder / HIDDEN

    @property
    def by_moosefs(self) -> bool:
        """Whether its tools make them. Raises OSError."""
        return mount_of(self.folder.absolute()).is_moosefs

    def volumes(self) -> Mapping[str, Entry]:
        """By name. Elsewhere than on MooseFS a folder is not cloned as a whole, and left out. Raises OSError."""
        within_reach(self.folder)
        whole = self.by_moosefs
        return {one.path.name: one for one in entries_of(self.folder) if whole or not one.is_folder}

    def taken(self) -> tuple[Taken, ...]:
        """Those that are there, of volumes that are gone too; names that are not ours are left alone. OSError."""
        within_reach(self.folder)
        if not self.into.is_dir():
            return ()
        return tuple(sorted(found for path in self.into.iterdir() if (found := parsed(path.name)) is not None))

    def due(self, policy: Policy) -> Due:
        """Now. Raises OSError."""
        volumes = {name: entry.changed_s for name, entry in self.volumes().items()}
        room = os.statvfs(self.folder)
        return due(policy, time.time(), volumes, self.taken(), room.f_bavail / room.f_blocks if room.f_blocks else 0.0)

    def make(self, volume: str, kind: Kind = "scheduled") -> Taken:
        """Raises PortFailed where there can be none, OSError."""
        one = Taken(volume, float(int(time.time())), kind)
        source, target = self.folder / volume, self.into / one.name
        if volume in ("", ".", "..") or "/" in volume or parsed(one.name) != one:
            raise PortFailed(f"{volume} is no name of a volume in {self.folder}")
        before = entry_of(source)
        if before is None:
            raise PortFailed(f"{source} is no volume, nor a folder of any")
        self.into.mkdir(mode=0o700, exist_ok=True)
        if target.exists():
            return one
        if self.by_moosefs:
            run(["mfsmakesnapshot", str(source), str(target)])
        else:
            self._clone(before, target)
        made = entry_of(target)
        if made is None or (made.files, made.is_folder) != (before.files, before.is_folder):
            raise PortFailed(f"{target} is not what {source} was")
        return one

    def _clone(self, source: Entry, target: Path) -> None:
        if source.is_folder:
            raise PortFailed(f"{source.path} is a folder, and its file system clones files alone")
        fresh = target.with_name(f".{target.name}.new")
        fresh.unlink(missing_ok=True)
        try:
            clone(str(source.path), str(fresh))
        except OSError as error:
            fresh.unlink(missing_ok=True)
            raise PortFailed(f"{source.path}: its file system has no snapshots ({error.strerror})") from error
        fresh.rename(target)

    def drop(self, one: Taken) -> None:
        """Delete it; mfsrmsnapshot deletes nothing but snapshots. Raises PortFailed, OSError."""
        target = self.into / one.name
        if target.parent != self.into:
            raise PortFailed(f"{one.name} is no name of a snapshot")
        if self.by_moosefs:
            run(["mfsrmsnapshot", str(target)])
        else:
            target.unlink(missing_ok=True)


def covering(wanted: Wanted, path: Path) -> tuple[Snapshots, str] | None:
    """Whose snapshots a path is in, and as which volume; None where the settings name no folder above it."""
    for folder in wanted.folders:
        if folder in path.parents:
            return Snapshots(folder), path.relative_to(folder).parts[0]
    return None
