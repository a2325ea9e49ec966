"""Reports in, assignments out, through a real database."""

from typing import Any

import pytest
from sqlalchemy import text

from harness.stack.multisite.inventory import placed, stored
from harness.stack.multisite.inventory.database import Database
from harness.stack.multisite.inventory.declared import Declared
from harness.stack.multisite.inventory.errors import Conflict, NotThere
from harness.stack.multisite.inventory.reports import Answer, Report, Running
from harness.stack.multisite.inventory.snapshot import snapshot_of
from harness.stack.multisite.placement.core import Rules
from harness.stack.multisite.placement.heard import Pace, Patience
from harness.stack.multisite.placement.placing import Placing

DEPLOY = {"image": "web:1", "port": 8080, "replicas": 2}


class Fleet:
    """Machines that report by hand, at times that a test sets."""

    def __init__(self, database: Database) -> None:
        self.database, self.now_s, self.down = database, 1000.0, set[str]()
        pace = Pace(Rules(drain_s=1, patience_s=5), Patience(silent_s=2, lease_s=4, margin_s=1))
        self.events: list[str] = []
        self.placing = Placing(
            database,
            pace,
            lambda key, _now_s: key[1] in self.down,
            lambda: None,
            self._log,
        )
        self.there: dict[str, dict[int, bool]] = {}

    def _log(self, event: str, **_fields: object) -> None:
        self.events.append(event)

    def declare(self, deploy: dict[str, Any] | None, **more: Any) -> None:
        document = {"services": [{"name": "api", "domains": ["api.test"], "deploy": deploy}], **more}
        with self.database.changing() as session:
            sites = stored.whole(session).sites
            stored.make(session, Declared.model_validate({"sites": [one.model_dump() for one in sites], **document}))

    def reports(self, machine: str, *labelled: Running) -> Answer:
        there = self.there.setdefault(machine, {})
        placed_ones = [
            Running(name=f"c{number}", service="api", replica=number, ready=ready) for number, ready in there.items()
        ]
        report = Report(
            site=machine[:-1],
            address=f"10.0.0.{machine[-1]}",
            cpu_millis=1000,
            memory_mb=1000,
            containers=[*placed_ones, *labelled],
        )
        answer = self.placing.report(machine, report)
        for one in answer.assignments:
            if one.phase == "run":
                there[one.replica] = True
            elif one.phase == "stop":
                there.pop(one.replica, None)
        return answer

    def goes_on(self, *machines: str, for_s: float) -> None:
        until_s = self.now_s + for_s
        while self.now_s < until_s:
            self.now_s += 0.5
            for one in machines:
                self.reports(one)
            self.placing.step()

    def states(self) -> list[tuple[str, str]]:
        return sorted((one.machine, one.state) for one in self.placing.replicas())

    def backends(self) -> dict[str, tuple[bool, bool]]:
        """Address -> idle, draining."""
        with self.database.reading() as session:
            snapshot = snapshot_of(stored.whole(session, reported=True), placed.places(session))
        return {one.address: (one.idle, one.draining) for one in snapshot.backends}


@pytest.fixture
def fleet(database: Database, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    one = Fleet(database)
    monkeypatch.setattr("time.monotonic", lambda: one.now_s)
    one.placing._heard.begun_s = one.now_s
    return one


def test_what_is_asked_for_is_assigned_and_takes_traffic_when_it_is_ready(fleet: Fleet) -> None:
    fleet.reports("dijon1")
    fleet.reports("lyon2")
    fleet.declare(DEPLOY)
    fleet.placing.step()
    assert fleet.states() == [("dijon1", "starting"), ("lyon2", "starting")]
    assert set(fleet.backends().values()) == {(True, False)}
    assert fleet.reports("dijon1").assignments[0].deploy.image == "web:1"
    fleet.goes_on("dijon1", "lyon2", for_s=1)
    assert fleet.states() == [("dijon1", "serving"), ("lyon2", "serving")]
    # A place for one more on each machine, and nobody in it.
    assert sorted(fleet.backends().values()) == [(False, False)] * 2 + [(True, False)] * 2
    assert "proven" in fleet.events


def test_a_machine_that_is_silent_is_replaced_and_drained_when_it_is_back(fleet: Fleet) -> None:
    for one in ("dijon1", "lyon2", "lyon3"):
        fleet.reports(one)
    fleet.declare(DEPLOY)
    fleet.goes_on("dijon1", "lyon2", "lyon3", for_s=2)
    fleet.goes_on("lyon2", "lyon3", for_s=3)
    assert fleet.states() == [("dijon1", "lost"), ("lyon2", "serving"), ("lyon3", "serving")]
    fleet.goes_on("dijon1", "lyon2", "lyon3", for_s=0.5)
    assert [state for _, state in fleet.states()].count("draining") == 1
    assert (False, True) in fleet.backends().values()
    fleet.goes_on("dijon1", "lyon2", "lyon3", for_s=4)
    assert [state for _, state in fleet.states()] == ["serving", "serving"]
    # Nothing is asked again of what is as it should be.
    edition = fleet.database.edition()
    fleet.goes_on("dijon1", "lyon2", "lyon3", for_s=2)
    assert fleet.database.edition() == edition


def test_silence_of_a_database_is_nobodys_silence(fleet: Fleet) -> None:
    fleet.reports("dijon1")
    fleet.reports("lyon2")
    fleet.declare({**DEPLOY, "replicas": 1})
    fleet.goes_on("dijon1", "lyon2", for_s=2)
    before = fleet.states()
    with fleet.database.writing() as session:
        session.execute(text("ALTER TABLE replicas RENAME TO gone"))
    for _ in range(20):
        fleet.now_s += 0.5
        fleet.placing.step()
    with fleet.database.writing() as session:
        session.execute(text("ALTER TABLE gone RENAME TO replicas"))
    fleet.placing.step()
    assert fleet.states() == before


def test_an_update_that_does_not_become_well_is_taken_back(fleet: Fleet) -> None:
    fleet.reports("dijon1")
    fleet.reports("lyon2")
    fleet.declare(DEPLOY)
    fleet.goes_on("dijon1", "lyon2", for_s=2)
    fleet.down = {f"10.0.0.{machine}:{placed.port_of(1, 1)}" for machine in (1, 2)}
    fleet.declare({**DEPLOY, "image": "web:broken"})
    fleet.goes_on("dijon1", "lyon2", for_s=12)
    assert "taken-back" in fleet.events
    assert {row.deploy.image for row in fleet.reports("dijon1").assignments} == {"web:1"}
    assert [state for _, state in fleet.states()] == ["serving", "serving"]


def test_what_is_started_by_hand_is_a_backend_while_it_is_there(fleet: Fleet) -> None:
    by_hand = Running(name="x", service="api", port=8080)
    assert "there is no service api" in fleet.reports("dijon1", by_hand).complaints[0]
    fleet.declare(None)
    assert fleet.reports("dijon1", by_hand).complaints == []
    assert fleet.backends() == {"10.0.0.1:8080": (False, False)}
    with fleet.database.reading() as session:
        assert stored.whole(session).backends == []  # nobody entered it, so no file removes it
    fleet.declare(None)
    assert len(fleet.backends()) == 1
    fleet.reports("dijon1")
    assert fleet.backends() == {}


def test_a_service_that_is_no_more_leaves_nothing(fleet: Fleet) -> None:
    fleet.reports("dijon1")
    fleet.declare({**DEPLOY, "replicas": 1})
    fleet.goes_on("dijon1", for_s=2)
    with fleet.database.changing() as session:
        stored.make(session, Declared())
    fleet.reports("dijon1")
    fleet.goes_on("dijon1", for_s=4)
    assert fleet.states() == []
    assert fleet.there["dijon1"] == {}


def test_a_machine_is_removed_when_it_can_run_nothing_any_more(fleet: Fleet) -> None:
    fleet.reports("dijon1")
    fleet.declare({**DEPLOY, "replicas": 1, "exclusive": True})
    fleet.goes_on("dijon1", for_s=2)
    for after_s, why in ((0.5, "still reports"), (2.0, "lease")):
        fleet.now_s += after_s
        with pytest.raises(Conflict, match=why):
            fleet.placing.remove_machine("dijon1")
    fleet.now_s += 5
    fleet.placing.remove_machine("dijon1")
    fleet.placing.step()
    assert (fleet.placing.machines(), fleet.states()) == ([], [])
    with pytest.raises(NotThere):
        fleet.placing.remove_machine("dijon1")


def test_ports_of_services_do_not_meet() -> None:
    ports: list[int] = [placed.port_of(service, slot) for service in range(1, 4000) for slot in range(placed.SLOTS)]
    assert len(set(ports)) == len(ports)
    assert max(ports) < 65536
