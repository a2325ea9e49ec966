"""What was seen of the backends' health: the newest of each, and a history."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session

from .entries import address_of
from .tables import BackendRow, Base, HealthEventRow, ServiceRow

SILENT = "it was silent, so we ended the connection"
"""What is seen of a backend whose connections were ended from our side. The page has it in its languages."""
_BACKENDS = Base.metadata.tables[BackendRow.__tablename__]


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at a backend. ``event``: it belongs into the history (a change, or the regular sample)."""

    service: str
    address: str
    healthy: bool
    at: datetime
    latency_ms: float | None
    detail: str | None
    event: bool


def record(session: Session, looks: Iterable[Seen]) -> None:
    """Keep them. Those of backends that are no longer there are dropped."""
    ids = {
        (name, address_of(host, port)): id_
        for id_, name, host, port in session.execute(
            select(BackendRow.id, ServiceRow.name, BackendRow.host, BackendRow.port).join(ServiceRow)
        )
    }
    known = [(ids[(one.service, one.address)], one) for one in looks if (one.service, one.address) in ids]
    newest = dict(known)
    if newest:
        # By the table, not by rows: what is seen is no change of the entry, whose version people compare.
        session.connection().execute(
            update(_BACKENDS).where(_BACKENDS.c.id == bindparam("b_id")),
            [
                {
                    "b_id": id_,
                    "is_healthy": one.healthy,
                    "last_checked": one.at,
                    "latency_ms": one.latency_ms,
                    "detail": one.detail,
                }
                for id_, one in newest.items()
            ],
        )
    events = [
        {
            "backend_id": id_,
            "status": "up" if one.healthy else "down",
            "latency_ms": one.latency_ms,
            "at": one.at,
            "detail": one.detail,
        }
        for id_, one in known
        if one.event
    ]
    if events:
        session.execute(insert(HealthEventRow), events)


def history(session: Session, backend_id: int, limit: int, before: int | None) -> Sequence[HealthEventRow]:
    """Of one backend, the newest first."""
    query = select(HealthEventRow).where(HealthEventRow.backend_id == backend_id)
    query = query.order_by(HealthEventRow.id.desc()).limit(limit)
    return session.scalars(query if before is None else query.where(HealthEventRow.id < before)).all()


def newest(session: Session, limit: int) -> dict[int, list[HealthEventRow]]:
    """Of every backend by its id, the oldest of them first: in one question, however many there are."""
    place = func.row_number().over(partition_by=HealthEventRow.backend_id, order_by=HealthEventRow.id.desc())
    ranked = select(HealthEventRow.id, place.label("place")).subquery()
    query = select(HealthEventRow).join(ranked, ranked.c.id == HealthEventRow.id).where(ranked.c.place <= limit)
    found: dict[int, list[HealthEventRow]] = {}
    for row in session.scalars(query.order_by(HealthEventRow.id)):
        found.setdefault(row.backend_id, []).append(row)
    return found


def forget_before(session: Session, moment: datetime) -> int:
    """Remove older history; says how much."""
    done = session.execute(delete(HealthEventRow).where(HealthEventRow.at < moment))
    return int(getattr(done, "rowcount", 0))


def counted(session: Session, backend_id: int) -> int:
    """How many events there are of one backend."""
    query = select(func.count()).select_from(HealthEventRow).where(HealthEventRow.backend_id == backend_id)
    return session.scalars(query).one()
