"""Gathers what is seen, each part once for all checks that need it; what a master says is kept for a while."""

import contextlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..mapping.drivers.choice import BY_THEMSELVES, DRIVERS, driver_named, lacks
from ..mapping.mapper import Mapper, volume_of
from ..mapping.ports import PortFailed
from ..mapping.record import Stage
from ..mapping.records import Records
from ..mapping.routes import Routes
from ..moosefs import summary
from ..mounts import master_of, mount_of, mounts
from ..moves.running import unfinished
from ..pool.core import Ownership
from ..tpm.core import is_of_a_tpm
from . import host
from .judged.judged import Part
from .operation import Operation
from .sight import Files, Moose, Ours, Place, Sight
from .trying import tried

KEPT_S = 10.0
"""How long what a master said counts; its age is said with it."""
_IMMUTABLE_OR_APPEND = 0x10 | 0x20
_kept: dict[tuple[str, int], tuple[float, Moose]] = {}


class Looking:
    """One run's; threads that need the same part wait for the one that gathers it."""

    def __init__(self, operation: Operation) -> None:
        self._operation = operation
        self._lock = threading.Lock()
        self._parts: dict[Part, _Once] = {}
        self._by_part: dict[Part, Callable[[], Any]] = {
            "kernel": host.kernel,
            "network": lambda: host.network([address for address, _ in self._masters()]),
            "source": lambda: place(operation.source.parent),
            "target": lambda: place(operation.target.parent),
            "moose": self._moose,
            "files": lambda: files(operation),
            "ours": lambda: ours(operation),
            "tried": lambda: tried(operation),
        }
        self.ages_s: dict[Part, float] = {}

    def sight(self, needs: tuple[Part, ...]) -> Sight:
        """With these parts. Raises what gathering them raised."""
        return Sight(**{part: self._part(part) for part in needs}, keep_source=self._operation.keep_source)

    def _part(self, part: Part) -> Any:
        with self._lock:
            once = self._parts.setdefault(part, _Once(self._by_part[part]))
        return once()

    def _masters(self) -> list[tuple[str, int]]:
        found = [mount_of(path.parent.resolve()) for path in (self._operation.source, self._operation.target)]
        return [master_of(one) for one in found if one.is_moosefs]

    def _moose(self) -> Moose | None:
        """Of the target's master, where it has one, else of the source's."""
        masters = self._masters()
        if not masters:
            return None
        at_s, found = _kept.get(masters[-1], (0.0, None))
        if found is None or time.monotonic() - at_s > KEPT_S:
            at_s, found = time.monotonic(), _said_by(*masters[-1])
            _kept[masters[-1]] = at_s, found
        self.ages_s["moose"] = time.monotonic() - at_s
        return found


class _Once:
    """What a function gives, or raises, called by the first who asks; the others wait."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work, self._lock, self._done = work, threading.Lock(), False
        self._value: Any = None
        self._error: Exception | None = None

    def __call__(self) -> Any:
        with self._lock:
            if not self._done:
                try:
                    self._value = self._work()
                except Exception as error:  # every check that needs it says so
                    self._error = error
                self._done = True
        if self._error is not None:
            raise self._error
        return self._value


def _said_by(address: str, port: int) -> Moose:
    found = summary(address, port)
    return Moose(
        chunkservers=len(found.chunkservers),
        maintained=found.maintained,
        versions=found.versions,
        chunks={name: int(count) for name, count in found.chunks.items() if count.isdigit()},
        total_bytes=_number(found.known.get("total space")),
        free_bytes=_number(found.known.get("avail space")),
        bad_disks=found.bad_disks,
        save_status=found.known.get("last save status", "-"),
    )


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0


def place(folder: Path) -> Place:
    """The file system of a folder. Raises OSError."""
    began_s = time.monotonic()
    seen = os.statvfs(folder)
    os.scandir(folder).close()
    took_s = time.monotonic() - began_s
    mount = mount_of(folder.resolve())
    return Place(
        kind=mount.kind,
        answers_s=took_s,
        covered=sum(one.point == mount.point for one in mounts()) > 1,
        free_bytes=seen.f_bavail * seen.f_frsize,
        block_bytes=seen.f_frsize,
        errors=host.errors_of(mount.device.rpartition("/")[2]),
        remote=mount.is_remote,
    )


def files(operation: Operation) -> Files:
    """Source and target. Raises OSError."""
    source, target = operation.source, operation.target
    seen, folder = source.stat(), source.parent
    there = target.stat() if target.exists() else None
    is_tpm = is_of_a_tpm(str(source))
    return Files(
        source=str(source),
        target=str(target),
        size_bytes=seen.st_size,
        immutable=bool(host.flags_of(source) & _IMMUTABLE_OR_APPEND),
        folder_writable=os.access(folder, os.W_OK | os.X_OK),
        same=there is not None and (there.st_dev, there.st_ino) == (seen.st_dev, seen.st_ino),
        target_by_link=target.parent.resolve() != target.parent,
        snapshots_left=_left(source, "snapshot"),
        parts_left=_left(target, "part"),
        tpm=is_tpm,
        tpm_mode=folder.stat().st_mode & 0o777 if is_tpm else 0o700,
    )


def _left(path: Path, what: str) -> tuple[str, ...]:
    """Of moves of this file, by the names that they give."""
    if not path.parent.is_dir():
        return ()
    begins = f".{path.name}.mfs-move-"
    with os.scandir(path.parent) as entries:
        return tuple(one.name for one in entries if one.name.startswith(begins) and one.name.endswith(f".{what}"))


def ours(operation: Operation) -> Ours:
    """What the program keeps. Raises OSError, PortFailed."""
    places = operation.places
    records, bad = Records(places.mappings).readable()
    state, run = host.nearest(places.state), host.nearest(places.run)
    state_room, run_room = os.statvfs(state), os.statvfs(run)
    mapped = {one.volume for one in records if one.stage is Stage.MAPPED}
    links = [host.volume_of_link(path) for path in places.links.glob("*")]
    return Ours(
        state=str(places.state),
        run=str(places.run),
        state_files=state_room.f_favail if state_room.f_files else None,
        run_files=run_room.f_favail if run_room.f_files else None,
        run_free_bytes=run_room.f_bavail * run_room.f_frsize,
        state_mode=_mode(places.state),
        run_mode=_mode(places.run),
        bad_records=tuple(map(str, bad)),
        bad_journals=tuple(f"{one.journal}: {one.damaged}" for one in unfinished(places) if one.damaged),
        unfinished=tuple(one.volume for one in records if one.stage is not Stage.MAPPED),
        wrong_links=tuple(volume for volume in links if volume not in mapped),
        free_indexes=None if bad else _free_indexes(operation),
        lacking=_lacking(operation),
    )


def _mode(folder: Path) -> int:
    """Of the folder; of one that is not there, what it is going to have."""
    try:
        return folder.stat().st_mode
    except FileNotFoundError:
        return 0o755


def _free_indexes(operation: Operation) -> int | None:
    for name in BY_THEMSELVES:
        if lacks(name, operation.places) is None:
            views = Mapper(driver_named(name, operation.places), operation.places).views()
            return sum(one.ownership in (Ownership.FREE, Ownership.SETTLING) for one in views)
    return None


def _lacking(operation: Operation) -> str:
    with contextlib.suppress(PortFailed):
        name = Routes(operation.places.routes).remembered(volume_of(operation.source))
        if name in DRIVERS:
            return lacks(name, operation.places, operation.source) or ""
    return ""
