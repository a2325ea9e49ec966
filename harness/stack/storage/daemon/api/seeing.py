"""What there is: nothing is changed by asking for it."""

import asyncio
import time
from collections import Counter
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query

from ...autonomy.core import RULES, Level
from ...incidents.catalogue import EVERY
from ...incidents.core.engine import Watched
from ...preflight.core import Finding
from ..core.chain import entries
from ..core.requests import Request, to_json
from ..doing import looked_at
from .access import PROBLEMS, Daemon, Reader
from .schemas import (
    AlertOut,
    AuditOut,
    Device,
    FindingOut,
    IncidentKind,
    IncidentOut,
    PreflightIn,
    PreflightOut,
    RequestOut,
    SilenceOut,
    Status,
    Volume,
)

router = APIRouter(prefix="/v1", tags=["seeing"], responses=PROBLEMS)


@router.get("/status")
async def status(daemon: Daemon, _who: Reader) -> Status:
    """In a few numbers."""
    facts = daemon.facts
    return Status(
        node=daemon.node,
        version=daemon.version,
        level=int(daemon.level),
        level_name=daemon.level.name.lower(),
        up_s=round(time.monotonic() - daemon.began_s, 3),
        looked_at_s=daemon.looked_at_s,
        look_took_s=daemon.look_took_s,
        troubles=list(daemon.troubles),
        volumes=dict(Counter(one.stage.value for one in facts.records)) if facts else {},
        incidents=dict(Counter(one.stage.value for one in daemon.known.values())),
        requests=dict(Counter(one.state.value for one in daemon.store.state.requests.by_id.values())),
        alerts=dict(Counter(one.alert.severity for one in daemon.firing.values())),
    )


@router.get("/volumes")
async def volumes(daemon: Daemon, _who: Reader) -> list[Volume]:
    """Those that are recorded, as they were at the last look."""
    facts = daemon.facts
    if facts is None:
        return []
    return [
        Volume(
            volume=one.volume,
            route=one.route,
            driver=one.driver,
            index=one.index,
            stage=one.stage.value,
            works="as a file" if one.index is None else facts.reads.get(one.index, "not mapped") or "yes",
            link=facts.links.get(one.volume),
        )
        for one in facts.records
    ]


@router.get("/devices")
async def devices(daemon: Daemon, _who: Reader) -> list[Device]:
    """The pool, as it was at the last look."""
    return [
        Device(
            index=one.index,
            state=one.ownership.value,
            volume=one.volume or one.facts.serves or "",
            size_bytes=one.facts.size_bytes,
            server_pid=one.facts.server_pid,
            holders=list(one.facts.holders),
        )
        for one in (daemon.facts.views if daemon.facts else ())
    ]


@router.post("/preflight")
async def preflight(daemon: Daemon, _who: Reader, wanted: PreflightIn) -> PreflightOut:
    """What a move would need; nothing is done."""
    arguments = {"source": wanted.source, "target": wanted.target, "keep_source": "yes" if wanted.keep_source else ""}
    result = await asyncio.to_thread(looked_at, daemon.places, arguments)
    return PreflightOut(
        passed=result.passed,
        total=result.total,
        risk_level=result.risk.value,
        failures=[_finding(one) for one in result.failures],
        warnings=[_finding(one) for one in result.warnings],
    )


def _finding(one: Finding) -> FindingOut:
    return FindingOut.model_validate(asdict(one) | {"weight": one.weight.value, "outcome": one.outcome.value})


def shown(daemon: Daemon, one: Request) -> RequestOut:
    """With its progress, where it runs."""
    progress = daemon.progress.get(one.id)
    return RequestOut.model_validate({**to_json(one), "progress": progress.said() if progress else None})


@router.get("/requests")
async def requests(daemon: Daemon, _who: Reader) -> list[RequestOut]:
    """What was asked for, the newest first."""
    return [shown(daemon, one) for one in reversed(list(daemon.store.state.requests.by_id.values()))]


@router.get("/incidents")
async def incidents(daemon: Daemon, _who: Reader) -> list[IncidentOut]:
    """Those that are there, then those that are over, the last one first."""
    over = [
        _incident(ended.watched).model_copy(update={"cured": ended.cured, "ended_at_s": at_s, "stage": "over"})
        for at_s, ended in reversed(daemon.ended)
    ]
    return [*(_incident(one) for one in daemon.known.values()), *over]


def _incident(one: Watched) -> IncidentOut:
    case = one.case
    return IncidentOut(
        name=case.incident,
        subject=case.subject,
        seen=case.seen,
        stage=one.stage.value,
        since_s=one.since_s,
        tries=len(one.tries),
        said=one.said,
    )


@router.get("/incidents/catalogue")
async def catalogue(_who: Reader) -> list[IncidentKind]:
    """Every kind, with its remedy and the level that it needs."""
    return [
        IncidentKind(
            name=one.name,
            severity=one.severity,
            advice=one.advice,
            remedy=one.remedy,
            level=int(RULES[one.act].needs if one.remedy else Level.READ_ONLY),
            tries=one.limits.tries,
            within_s=one.limits.within_s,
        )
        for one in EVERY
    ]


@router.get("/alerts")
async def alerts(daemon: Daemon, _who: Reader) -> list[AlertOut]:
    """What is wrong now, silenced or not."""
    return [
        AlertOut(
            name=one.alert.name,
            subject=one.alert.subject,
            severity=one.alert.severity,
            summary=one.alert.summary,
            since_s=one.since_s,
            told=dict(one.told),
            silenced=any(each.covers(one.alert, time.time()) for each in daemon.store.state.silences),
        )
        for one in daemon.firing.values()
    ]


@router.get("/silences")
async def silences(daemon: Daemon, _who: Reader) -> list[SilenceOut]:
    """Those that were asked for."""
    return [SilenceOut.model_validate(asdict(one)) for one in daemon.store.state.silences]


@router.get("/audit")
async def audit(
    daemon: Daemon,
    _who: Reader,
    after: Annotated[int, Query(ge=0, le=1 << 53)] = 0,
    most: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> AuditOut:
    """Entries after that one; the whole log is verified each time."""

    def read() -> AuditOut:
        faults = [f"line {one.line}: {one.what}" for one in daemon.audit.verify()]
        found = entries(daemon.audit.content())
        last = found[-1] if found else {"n": 0, "digest": ""}
        wanted = [dict(one) for one in found if int(str(one["n"])) > after][:most]
        return AuditOut(lines=int(str(last["n"])), digest=str(last["digest"]), faults=faults, entries=wanted)

    return await asyncio.to_thread(read)
