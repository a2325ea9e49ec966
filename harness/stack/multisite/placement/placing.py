"""Hears what agents report, tells them what to run, and has the core decide again and again."""

import asyncio
import threading
import time
from collections.abc import Callable

from sqlalchemy.orm import Session

from ...kit.ports import Log
from ..inventory import placed
from ..inventory.database import Database
from ..inventory.entries import address_of
from ..inventory.errors import Conflict, DatabaseError, InventoryError
from ..inventory.placed import Deployed, port_of
from ..inventory.reports import Answer, Assignment, MachineState, ReplicaIs, ReplicaState, Report
from ..inventory.tables import MachineRow, ReplicaRow
from .core import Decision, Judge, Machine, Move, Phase, Place, Replica, Wish, decide
from .heard import Heard, Pace

EVERY_S = 0.5
Key = tuple[str, str]


class Placing:
    """``down`` says whether the health checks found a backend down, ``changed`` is called when the inventory was;
    ``leads``: of several machines with a copy of the inventory one decides.

    A report and a decision never happen at the same time: else a lease could be renewed that was just found to be over.
    """

    def __init__(
        self,
        database: Database,
        pace: Pace,
        down: Callable[[Key, float], bool],
        changed: Callable[[], None],
        log: Log,
        *,
        leads: Callable[[], bool] = lambda: True,
    ) -> None:
        self._database, self._rules, self._down, self._changed, self._log = database, pace.rules, down, changed, log
        self._leads = leads
        self._patience, self._turn, self._deaf = pace.patience, threading.Lock(), False
        self._heard = Heard(pace.patience, time.monotonic())

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            await asyncio.to_thread(self.step)

    def report(self, name: str, report: Report) -> Answer:
        """A machine has spoken. From any thread. Raises InventoryError."""
        with self._turn:
            if not self._leads():
                raise DatabaseError("another machine of the platform leads: it hears reports")
            complaints = self._registered(name, report)
            with self._database.reading() as session:
                rows = list(placed.replicas(session, name))
            self._became_ready(rows, report)
            leased = any(row.deploy["exclusive"] and row.phase != Phase.stop.value for row in rows)
            self._heard.report(name, report, time.monotonic(), leased=leased)
            return Answer(
                assignments=[_assignment(row) for row in rows], lease_s=self._patience.lease_s, complaints=complaints
            )

    def step(self) -> None:
        """Decide once, and write it down."""
        with self._turn:
            if not self._leads():
                self._deaf = True
                return
            try:
                now_s = time.monotonic()
                if self._deaf:
                    self._heard.deaf_until(now_s)
                with self._database.reading() as session:
                    services = {one.name: one for one in placed.deployed(session)}
                    machines, rows = list(placed.machines(session)), list(placed.replicas(session))
                self._deaf = False
                decisions = self._decided(services, machines, rows, now_s)
                if decisions:
                    with self._database.changing() as session:
                        for one in decisions:
                            self._carry_out(session, one, services)
            except InventoryError:
                self._deaf = True  # the follower says so
                return
        if decisions:
            self._changed()

    def machines(self) -> list[MachineState]:
        """Every machine. From any thread."""
        now_s = time.monotonic()
        with self._database.reading() as session:
            rows = list(placed.replicas(session))
            return [
                MachineState(
                    name=one.name,
                    site=one.site.name,
                    address=one.address,
                    cpu_millis=one.cpu_millis,
                    memory_mb=one.memory_mb,
                    alive=self._heard.alive(one.name, now_s),
                    silent_s=round(self._heard.silent_s(one.name, now_s), 3),
                    replicas=sum(row.machine == one.name for row in rows),
                )
                for one in placed.machines(session)
            ]

    def replicas(self) -> list[ReplicaState]:
        """Every replica. From any thread."""
        now_s = time.monotonic()
        with self._database.reading() as session:
            addresses = {one.name: one.address for one in placed.machines(session)}
            return [
                ReplicaState(
                    id=row.id,
                    service=row.service,
                    machine=row.machine,
                    address=address_of(addresses.get(row.machine, "?"), row.port),
                    revision=row.revision,
                    state=self._state(row, addresses.get(row.machine, "?"), now_s),
                )
                for row in placed.replicas(session)
            ]

    def remove_machine(self, name: str) -> None:
        """It is no more. Raises NotThere; Conflict while it may still run something."""
        with self._turn, self._database.changing() as session:
            placed.remove(session, name)  # undone by what is raised
            now_s = time.monotonic()
            if self._heard.alive(name, now_s):
                raise Conflict(f"machine {name} still reports; stop its agent first")
            exclusive = any(row.deploy["exclusive"] for row in placed.replicas(session, name))
            if exclusive and not self._heard.lease_over(name, now_s):
                raise Conflict(f"machine {name} may still run what is exclusive, until its lease is over")
        self._changed()

    def _registered(self, name: str, report: Report) -> list[str]:
        by_hand = {(one.service, one.port, one.health) for one in placed.by_hand(report)}
        with self._database.reading() as session:
            known = placed.as_reported(session, name, report) and placed.labels(session, name) == by_hand
        if known:
            return []
        with self._database.changing() as session:
            new = placed.registered(session, name, report)
            complaints = placed.labelled(session, name, report)
        if new:
            self._log("machine", machine=name, site=report.site, address=report.address)
        self._changed()
        return complaints

    def _became_ready(self, rows: list[ReplicaRow], report: Report) -> None:
        ready = {one.replica for one in report.containers if one.ready}
        fresh = [row.id for row in rows if not row.ready and row.id in ready]
        if fresh:
            with self._database.changing() as session:
                placed.became_ready(session, fresh)
            self._changed()

    def _decided(
        self, services: dict[str, Deployed], machines: list[MachineRow], rows: list[ReplicaRow], now_s: float
    ) -> list[Decision]:
        self._heard.only(row.id for row in rows)
        addresses = {one.name: one.address for one in machines}
        return decide(
            [_wish(one) for one in services.values()],
            [
                Machine(
                    name=one.name,
                    site=one.site.name,
                    alive=self._heard.alive(one.name, now_s),
                    lease_over=self._heard.lease_over(one.name, now_s),
                    cpu_millis=one.cpu_millis,
                    memory_mb=one.memory_mb,
                )
                for one in machines
            ],
            [
                Replica(
                    id=row.id,
                    service=row.service,
                    machine=row.machine,
                    slot=row.slot,
                    revision=row.revision,
                    phase=Phase(row.phase),
                    phase_age_s=self._heard.phase_age_s(row.id, Phase(row.phase), now_s),
                    ailing_s=self._heard.ailing_s(
                        row.id, now_s, well=self._well(row, addresses.get(row.machine, ""), now_s)
                    ),
                    gone=self._heard.gone(row.machine, row.id),
                    cpu_millis=row.deploy["cpu_millis"],
                    memory_mb=row.deploy["memory_mb"],
                )
                for row in rows
            ],
            self._rules,
        )

    def _well(self, row: ReplicaRow, host: str, now_s: float) -> bool:
        container = self._heard.container(row.machine, row.id)
        up = container is not None and container.up
        return row.ready and up and not self._down((row.service, address_of(host, row.port)), now_s)

    def _state(self, row: ReplicaRow, host: str, now_s: float) -> ReplicaIs:
        if not self._heard.alive(row.machine, now_s):
            return "lost"
        if row.phase != Phase.run.value:
            return "draining" if row.phase == Phase.drain.value else "stopping"
        if not row.ready:
            return "starting"
        return "serving" if self._well(row, host, now_s) else "ailing"

    def _carry_out(self, session: Session, decision: Decision, services: dict[str, Deployed]) -> None:
        match decision:
            case Place(service, machine, slot, revision):
                wanted = services[service]
                row = ReplicaRow(
                    service=service,
                    machine=machine,
                    slot=slot,
                    port=port_of(wanted.id, slot),
                    revision=revision,
                    deploy=wanted.in_force.model_dump(),
                    phase=Phase.run.value,
                    ready=False,
                )
                session.add(row)
                session.flush()
                self._log("placed", replica=row.id, service=service, machine=machine, revision=revision)
            case Move(number, to):
                placed.moved(session, number, None if to is None else to.value)
                self._log("forgotten" if to is None else to.value, replica=number)
            case Judge(service, revision, proven):
                placed.judged(session, services[service], proven=proven)
                self._log("proven" if proven else "taken-back", service=service, revision=revision)


def _wish(one: Deployed) -> Wish:
    now = one.in_force
    return Wish(
        service=one.name,
        replicas=now.replicas,
        revision=now.revision,
        cpu_millis=now.cpu_millis,
        memory_mb=now.memory_mb,
        sites=tuple(now.sites),
        apart_from=tuple(now.apart_from),
        max_per_machine=now.max_per_machine,
        exclusive=now.exclusive,
        proven=one.proven_revision == now.revision,
        may_fall_back=one.proven_revision is not None and one.proven_revision != now.revision,
    )


def _assignment(row: ReplicaRow) -> Assignment:
    return Assignment.model_validate(
        {"replica": row.id, "service": row.service, "phase": row.phase, "port": row.port, "deploy": row.deploy}
    )
