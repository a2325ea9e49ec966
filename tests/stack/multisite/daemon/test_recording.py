"""What was seen reaches the database, and what is seen while it is written is written next."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from harness.stack.multisite.daemon.recording import Recorder
from harness.stack.multisite.inventory import seen, stored
from harness.stack.multisite.inventory.database import Database
from harness.stack.multisite.inventory.entries import BackendEntry, ServiceEntry, SiteEntry
from harness.stack.multisite.inventory.errors import DatabaseError
from harness.stack.multisite.inventory.seen import Seen
from harness.stack.multisite.inventory.tables import BackendRow
from harness.wait import until

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
LOOK = Seen("api", "10.0.0.1:80", healthy=True, at=BEGAN, latency_ms=1.0, detail=None, event=False)


def _no_log(event: str, **fields: object) -> None:
    """Nobody reads it."""


@pytest.fixture
def backend(database: Database) -> Database:
    """An inventory with one backend."""
    with database.changing() as session:
        stored.add(session, SiteEntry(name="dijon"))
        stored.add(session, ServiceEntry(name="api", domains=["api.test"]))
        stored.add(session, BackendEntry(service="api", site="dijon", host="10.0.0.1", port=80))
    return database


def latency_ms(database: Database) -> float | None:
    """What the database has of it."""
    with database.reading() as session:
        return session.query(BackendRow).one().latency_ms


async def written(database: Database, expected_ms: float) -> None:
    """Wait until it has that."""

    async def is_there() -> bool:
        return await asyncio.to_thread(latency_ms, database) == expected_ms

    await until(is_there, within_s=20, every_s=0.05, what=f"a latency of {expected_ms} ms is in the database")


async def ended(task: "asyncio.Task[None]") -> None:
    """Cancelled, and done with what that takes."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_is_seen_while_it_writes_is_written_next(backend: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder, record = Recorder(backend, _no_log), seen.record
    later = replace(LOOK, at=BEGAN + timedelta(seconds=1), latency_ms=2.0)

    def meanwhile(session: Session, looks: Iterable[Seen]) -> None:
        monkeypatch.setattr(seen, "record", record)
        recorder.keep(later)
        record(session, looks)

    monkeypatch.setattr(seen, "record", meanwhile)
    recorder.keep(LOOK)
    running = asyncio.create_task(recorder.run())
    await written(backend, 2.0)
    await ended(running)


async def test_what_could_not_be_written_is_kept_and_every_event_is_in_the_history(
    backend: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder, record = Recorder(backend, _no_log), seen.record

    def fails(_session: Session, _looks: Iterable[Seen]) -> None:
        monkeypatch.setattr(seen, "record", record)
        raise DatabaseError("gone")

    monkeypatch.setattr(seen, "record", fails)
    for number in range(3):
        recorder.keep(replace(LOOK, at=BEGAN + timedelta(seconds=number), latency_ms=float(number), event=True))
    recorder.keep(replace(LOOK, at=BEGAN + timedelta(seconds=9), latency_ms=9.0))
    running = asyncio.create_task(recorder.run())
    await written(backend, 9.0)
    await ended(running)
    with backend.reading() as session:
        assert [one.latency_ms for one in reversed(seen.history(session, 1, 10, None))] == [0.0, 1.0, 2.0]


async def test_what_nobody_compares_is_not_compared(backend: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand looks that are compared with each other keep the daemon from everything else for seconds."""
    compared = 0

    def compare(_one: Seen, _other: object) -> bool:
        nonlocal compared
        compared += 1
        return False

    recorder = Recorder(backend, _no_log)
    for number in range(200):
        recorder.keep(replace(LOOK, service=f"api{number}"))
    recorder.keep(replace(LOOK, latency_ms=5.0))
    monkeypatch.setattr(Seen, "__eq__", compare)
    running = asyncio.create_task(recorder.run())
    await written(backend, 5.0)
    await ended(running)
    assert compared == 0
