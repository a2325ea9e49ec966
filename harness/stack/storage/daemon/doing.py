"""Does what was asked for: maps, unmaps, moves, tiers. A move that was begun before goes on by its journal."""

from collections.abc import Mapping
from pathlib import Path

from ..autonomy.core import Act
from ..incidents.remedies import Remedies
from ..mapping.ports import PortFailed
from ..mapping.volumes import map_volume, unmap_volume, way_to
from ..moves.copying import Report
from ..moves.core import GRACE_S, Phase
from ..moves.running import begin, journal_of, resume, target_of, unfinished
from ..places import Places
from ..preflight.checks import EVERY
from ..preflight.core import Result
from ..preflight.operation import Operation
from ..preflight.run import run
from ..tiering.classes import change

ASKED_FOR = (Act.MAP, Act.UNMAP, Act.MOVE)
"""What whoever has the right may ask for; the rest the daemon asks itself."""
WELL = (Phase.DONE, Phase.LEFT_OVER)


def looked_at(places: Places, arguments: Mapping[str, str]) -> Result:
    """Preflight of a move. Raises OSError."""
    source = Path(arguments["source"])
    target = target_of(source, Path(arguments["target"]))
    return run(EVERY, Operation(source, target, places, arguments.get("keep_source") == "yes"))


def do(places: Places, act: Act, arguments: Mapping[str, str], identity: str, report: Report) -> str:
    """What came of it. Raises PortFailed, InUse, JournalDamaged, OSError."""
    match act:
        case Act.MAP:
            file = Path(arguments["file"])
            return map_volume(places, file, way_to(places, file, arguments.get("driver") or None))[1]
        case Act.UNMAP:
            record = unmap_volume(places, Path(arguments["file"]))
            return "it was not mapped" if record is None else f"{record.volume} is let go"
        case Act.MOVE:
            return _move(places, arguments, identity, report)
        case Act.TIER:
            return change(
                Path(arguments["path"]), arguments["before"], arguments["after"], int(arguments["least_copies"])
            )
    return Remedies(places).perform(arguments["remedy"], arguments["subject"])  # type: ignore[arg-type]


def _move(places: Places, arguments: Mapping[str, str], identity: str, report: Report) -> str:
    begun = next((one for one in unfinished(places) if one.journal == journal_of(places, identity)), None)
    if begun is not None:
        ended = resume(places, begun, report)
        if ended is None:
            raise PortFailed("its journal is empty: ask for it again")
    else:
        source = Path(arguments["source"])
        target = target_of(source, Path(arguments["target"]))
        ended = begin(
            places,
            source,
            target,
            report,
            identity=identity,
            keep_source=arguments.get("keep_source") == "yes",
            grace_s=float(arguments.get("grace_s") or GRACE_S),
        )
    if ended.phase not in WELL:
        raise PortFailed(ended.outcome())
    return ended.outcome()


def was_begun(places: Places, identity: str) -> bool:
    """Whether a move of this name is in the journals: then it was allowed, and goes on."""
    return journal_of(places, identity).exists()
