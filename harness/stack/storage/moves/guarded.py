"""A move with the locks of both volumes, which mapping takes as well: nobody maps what is moved, nor moves it twice."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..mapping.mapper import volume_of
from ..mapping.records import Records
from ..moosefs import within_reach
from ..places import Places
from ..pool.locks import FileLocks
from ..unable import Unable


class InUse(Unable):
    """Somebody else is at it; the message says who, and what to do."""


@contextmanager
def exclusively(places: Places, source: Path, target: Path) -> Iterator[None]:
    """The locks of both, for as long as the block takes. Raises InUse; OSError where a volume cannot be reached."""
    within_reach(source, target)
    locks = FileLocks(places.run)
    try:
        for path in (source, target):
            if not locks.take(f"volume {volume_of(path)}"):
                raise InUse(f"{path} is being mapped or moved by another process: wait for it")
            if Records(places.mappings).read(volume_of(path)) is not None:
                raise InUse(f"{path} is mapped: mfs-autonomy unmap {path}")
        yield
    finally:
        locks.release_all()
