"""Machines and replicas in the database. All functions work within a session of ``Database``."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from .entries import MOST_PER_MACHINE, BackendEntry, DeployEntry, SiteEntry
from .errors import Conflict, NotThere
from .reports import Report, Running
from .snapshot import Backend
from .stored import add, set_
from .tables import BackendRow, Base, MachineRow, ReplicaRow, ServiceRow, SiteRow

SLOTS = MOST_PER_MACHINE + 1
FIRST_PORT, LAST_PORT = 20_000, 60_000
_SERVICES = Base.metadata.tables[ServiceRow.__tablename__]


@dataclass(frozen=True, slots=True)
class Deployed:
    """A service that wants containers: what it asks for, and what it gets, which is what was proven last where that
    was refused."""

    id: int
    name: str
    asked: DeployEntry
    in_force: DeployEntry
    proven_revision: str | None


def port_of(service_id: int, slot: int) -> int:
    """Where a replica is published on its machine. Fixed, so that the edge knows every place beforehand, and loads no
    configuration when one is taken."""
    return FIRST_PORT + service_id * SLOTS % (LAST_PORT - FIRST_PORT) + slot


def machines(session: Session) -> Sequence[MachineRow]:
    """All of them, by name."""
    return session.scalars(select(MachineRow).order_by(MachineRow.name)).all()


def replicas(session: Session, machine: str | None = None) -> Sequence[ReplicaRow]:
    """All of them, or those of a machine."""
    query = select(ReplicaRow).order_by(ReplicaRow.id)
    return session.scalars(query if machine is None else query.where(ReplicaRow.machine == machine)).all()


def deployed(session: Session) -> list[Deployed]:
    """The services that want containers."""
    found: list[Deployed] = []
    for row in session.scalars(select(ServiceRow).where(ServiceRow.deploy.is_not(None)).order_by(ServiceRow.name)):
        asked = DeployEntry.model_validate(row.deploy)
        proven = None if row.proven is None else DeployEntry.model_validate(row.proven)
        in_force = asked
        if proven is not None and row.refused == asked.revision:
            where = {name: getattr(asked, name) for name in ("replicas", "sites", "apart_from", "max_per_machine")}
            in_force = proven.model_copy(update=where)
        found.append(Deployed(row.id, row.name, asked, in_force, None if proven is None else proven.revision))
    return found


def judged(session: Session, service: Deployed, *, proven: bool) -> None:
    """The revision in force was well everywhere, or is taken back. No change of the entry, whose version people
    compare."""
    values = {"proven": service.in_force.model_dump()} if proven else {"refused": service.in_force.revision}
    session.connection().execute(
        update(_SERVICES).where(_SERVICES.c.id == bindparam("s_id")), [{"s_id": service.id, **values}]
    )


def registered(session: Session, name: str, report: Report) -> bool:
    """Make the machine what its agent says, its site as well if nobody declared it; whether the machine is new."""
    site = session.scalars(select(SiteRow).where(SiteRow.name == report.site)).one_or_none()
    if site is None:
        add(session, SiteEntry(name=report.site))
        site = session.scalars(select(SiteRow).where(SiteRow.name == report.site)).one()
    row = session.scalars(select(MachineRow).where(MachineRow.name == name)).one_or_none()
    new = row is None
    if row is None:
        row = MachineRow(name=name)
        session.add(row)
    row.site, row.address = site, report.address
    row.cpu_millis, row.memory_mb = report.cpu_millis, report.memory_mb
    session.flush()
    return new


def as_reported(session: Session, name: str, report: Report) -> bool:
    """Whether the machine is as its agent says already."""
    row = session.scalars(select(MachineRow).where(MachineRow.name == name)).one_or_none()
    return row is not None and (
        (row.site.name, row.address, row.cpu_millis, row.memory_mb)
        == (report.site, report.address, report.cpu_millis, report.memory_mb)
    )


def labels(session: Session, machine: str) -> set[tuple[str, int, str]]:
    """Service, port and health path of the backends that a machine reported."""
    rows = session.scalars(select(BackendRow).where(BackendRow.machine == machine)).unique()
    return {(row.service.name, row.port, row.health) for row in rows}


def became_ready(session: Session, replicas: Sequence[int]) -> None:
    """They have answered well."""
    session.execute(update(ReplicaRow).where(ReplicaRow.id.in_(replicas)).values(ready=True))


def moved(session: Session, replica: int, phase: str | None) -> None:
    """Its next phase; None: it is forgotten."""
    chosen = ReplicaRow.id == replica
    session.execute(
        delete(ReplicaRow).where(chosen) if phase is None else update(ReplicaRow).where(chosen).values(phase=phase)
    )


def remove(session: Session, name: str) -> None:
    """A machine that is no more, with the backends that it reported. Raises NotThere."""
    row = session.scalars(select(MachineRow).where(MachineRow.name == name)).one_or_none()
    if row is None:
        raise NotThere(f"there is no machine {name}")
    session.execute(delete(BackendRow).where(BackendRow.machine == name))
    session.delete(row)


def labelled(session: Session, machine: str, report: Report) -> list[str]:
    """Make backends of what was started by hand with labels, and let go of those that are no more. Returns complaints:
    one wrong label must not cost a machine its other backends."""
    rows = session.scalars(select(BackendRow).where(BackendRow.machine == machine)).unique().all()
    there = {(row.service.name, row.host, row.port): row for row in rows}
    complaints: list[str] = []
    for one in by_hand(report):
        key = (one.service, report.address, one.port)
        entry = BackendEntry(
            service=one.service, site=report.site, host=report.address, port=one.port, health=one.health
        )
        try:
            row = there.pop(key, None)
            if row is None:
                with session.begin_nested():
                    added = add(session, entry)
                    assert isinstance(added, BackendRow)
                    added.machine = machine
            elif row.health != one.health or row.site.name != report.site:
                set_(session, row, entry)
        except (NotThere, Conflict) as error:
            complaints.append(f"container {one.name}: {error}")
    for row in there.values():
        session.delete(row)
    return complaints


def by_hand(report: Report) -> list[Running]:
    """The containers that nobody placed, and that say where they serve."""
    return [one for one in report.containers if one.replica is None and one.port]


def places(session: Session) -> list[Backend]:
    """Every place where a replica is or may come, as a backend; idle where none is, or is not ready."""
    rows = {(row.service, row.machine, row.slot): row for row in replicas(session)}
    found: list[Backend] = []
    everywhere = machines(session)
    for service in deployed(session):
        slots = service.asked.max_per_machine + (0 if service.asked.exclusive else 1)
        for machine in everywhere:
            if service.asked.sites and machine.site.name not in service.asked.sites:
                continue
            for slot in range(slots):
                row = rows.get((service.name, machine.name, slot))
                found.append(_place(service, machine, slot, row))
    return found


def _place(service: Deployed, machine: MachineRow, slot: int, row: ReplicaRow | None) -> Backend:
    health = row.deploy["health"] if row else service.in_force.health
    return Backend(
        service=service.name,
        site=machine.site.name,
        host=machine.address,
        port=port_of(service.id, slot),
        health=health,
        priority=machine.site.priority,
        weight=machine.site.weight,
        draining=row is not None and row.phase == "drain",
        idle=row is None or not row.ready or row.phase == "stop",
    )
