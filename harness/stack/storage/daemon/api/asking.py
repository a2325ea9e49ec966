"""What is asked for and answered: all of it is in the audit log before it is done."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path

from ...autonomy.core import Act, Level
from ..autonomy import Autonomy
from ..core.requests import State
from ..tokens import Bearer
from .access import PROBLEMS, Admin, Approver, Daemon, Operator, Reader
from .schemas import AnswerIn, LevelIn, MapIn, MoveIn, RequestOut, SilenceIn, SilenceOut, UnmapIn
from .seeing import shown

router = APIRouter(prefix="/v1", tags=["asking"], responses=PROBLEMS)
Identity = Annotated[str, Path(max_length=100)]
NOT_THERE: dict[int | str, dict[str, object]] = {404: {"description": "There is none of that name"}}
NOT_WAITING = NOT_THERE | {409: {"description": "It does not wait any more"}}
BLOCKED: dict[int | str, dict[str, object]] = {409: {"description": "Blocked; the reasons are in the answer"}}


async def _asked(daemon: Autonomy, act: Act, arguments: dict[str, str], who: Bearer) -> RequestOut:
    one = await daemon.ask(act, arguments, who.name)
    if one.state is State.BLOCKED:
        raise HTTPException(409, f"blocked: {'; '.join(one.reasons)}")
    return shown(daemon, one)


@router.post("/volumes/map", status_code=202, responses=BLOCKED)
async def map_volume(daemon: Daemon, who: Operator, wanted: MapIn) -> RequestOut:
    """Make a block device of a volume."""
    return await _asked(daemon, Act.MAP, {"file": wanted.file, "driver": wanted.driver or ""}, who)


@router.post("/volumes/unmap", status_code=202, responses=BLOCKED)
async def unmap_volume(daemon: Daemon, who: Operator, wanted: UnmapIn) -> RequestOut:
    """Make a file of it again."""
    return await _asked(daemon, Act.UNMAP, {"file": wanted.file}, who)


@router.post("/moves", status_code=202, responses=BLOCKED)
async def move(daemon: Daemon, who: Operator, wanted: MoveIn) -> RequestOut:
    """Move a volume, after preflight and, where the risk or the level wants it, a person's approval."""
    arguments = {
        "source": wanted.source,
        "target": wanted.target,
        "keep_source": "yes" if wanted.keep_source else "",
        "grace_s": str(wanted.grace_s),
    }
    return await _asked(daemon, Act.MOVE, arguments, who)


@router.get("/requests/{identity}", responses=NOT_THERE)
async def request(daemon: Daemon, _who: Reader, identity: Identity) -> RequestOut:
    """One of them."""
    found = daemon.store.state.requests.by_id.get(identity)
    if found is None:
        raise HTTPException(404, f"there is no request {identity}")
    return shown(daemon, found)


@router.post("/requests/{identity}/approve", responses=NOT_WAITING)
async def approve(daemon: Daemon, who: Approver, identity: Identity, answer: AnswerIn) -> RequestOut:
    """A person agrees: who, when and why is in the audit log."""
    return await _answered(daemon, identity, "approve", who, answer.why)


@router.post("/requests/{identity}/refuse", responses=NOT_WAITING)
async def refuse(daemon: Daemon, who: Approver, identity: Identity, answer: AnswerIn) -> RequestOut:
    """A person does not."""
    return await _answered(daemon, identity, "refuse", who, answer.why)


async def _answered(daemon: Autonomy, identity: str, word: str, who: Bearer, why: str) -> RequestOut:
    if identity not in daemon.store.state.requests.by_id:
        raise HTTPException(404, f"there is no request {identity}")
    return shown(daemon, daemon.answer(identity, word, who, why))


@router.put("/level")
async def set_level(daemon: Daemon, who: Admin, wanted: LevelIn) -> LevelIn:
    """How far the daemon may go, from now on."""
    daemon.set_level(Level(wanted.level), who, wanted.why)
    return wanted


@router.post("/look", status_code=202)
async def look(daemon: Daemon, _who: Operator) -> None:
    """Look at the host now, not when it is time."""
    daemon.poke()


@router.post("/silences", status_code=201)
async def silence(daemon: Daemon, who: Operator, wanted: SilenceIn) -> SilenceOut:
    """Tell nobody of it for a while."""
    one = daemon.silence(who, wanted.name, wanted.subject, wanted.for_s, wanted.why)
    return SilenceOut(id=one.id, name=one.name, subject=one.subject, until_s=one.until_s, by=one.by, why=one.why)


@router.delete("/silences/{identity}", status_code=204, responses=NOT_THERE)
async def unsilence(daemon: Daemon, who: Operator, identity: Identity) -> None:
    """Tell again."""
    try:
        daemon.unsilence(who, identity)
    except KeyError:
        raise HTTPException(404, f"there is no silence {identity}") from None
