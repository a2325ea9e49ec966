"""Moves by their names: begun, found unfinished, gone on with; what command line and daemon both do."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..moosefs import within_reach
from ..places import Places
from .abandoning import give_up, move_of
from .copying import Report
from .core import GRACE_S, Move
from .guarded import exclusively
from .journal import JournalDamaged, read
from .mover import Mover, Wait
from .plain_files import PlainFiles


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A journal without an end; ``move`` is None where it is ``damaged``, which says how."""

    journal: Path
    move: Move | None
    damaged: str = ""


def new_identity() -> str:
    """Of a move."""
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.urandom(3).hex()}"


def target_of(source: Path, target: Path) -> Path:
    """A folder gets a file of the same name. Raises OSError where the master of its MooseFS is silent."""
    within_reach(source, target)
    return target / source.name if target.is_dir() else target


def begin(
    places: Places,
    source: Path,
    target: Path,
    report: Report,
    *,
    identity: str = "",
    keep_source: bool = False,
    verify_cached: bool = False,
    grace_s: float = GRACE_S,
    wait: Wait = time.sleep,
) -> Move:
    """A move to its end, under the locks of both volumes. Raises InUse."""
    one = Move(
        identity or new_identity(),
        str(source),
        str(target),
        keep_source=keep_source,
        verify_cached=verify_cached,
        grace_s=grace_s,
    )
    with exclusively(places, source, target):
        return Mover(PlainFiles(), str(journal_of(places, one.id)), wait=wait).move(one, report=report)


def journal_of(places: Places, identity: str) -> Path:
    """Where a move is written down."""
    return places.journals / f"{identity}.journal"


def unfinished(places: Places) -> Iterator[Unfinished]:
    """All of them. Raises OSError."""
    for path in sorted(places.journals.glob("*.journal")):
        try:
            found, _ = read(path.read_bytes())
        except JournalDamaged as error:
            yield Unfinished(path, None, str(error))
            continue
        if found is not None and not found.ended:
            yield Unfinished(path, found)


def set_aside(places: Places, identity: str) -> str:
    """Give up the move of a journal that is damaged, where nothing can be lost by it. Raises Unable, OSError."""
    one = next((one for one in unfinished(places) if one.journal.stem == identity), None)
    if one is None or one.move is not None:
        return "its journal can be read"
    move = move_of(one.journal.read_bytes())
    with exclusively(places, Path(move.source), Path(move.target)):
        give_up(PlainFiles(), str(one.journal), move)
    return f"{move.source} is whole, and the move is given up; its journal is kept as {one.journal}.damaged"


def resume(places: Places, one: Unfinished, report: Report, wait: Wait = time.sleep) -> Move | None:
    """Go on with it. Raises InUse, JournalDamaged."""
    if one.move is None:
        raise JournalDamaged(one.damaged)
    with exclusively(places, Path(one.move.source), Path(one.move.target)):
        return Mover(PlainFiles(), str(one.journal), wait=wait).resume(report=report)
