"""Every reason is looked at again and again, has a sentence, and fits into a heartbeat."""

import asyncio
from dataclasses import dataclass, field

import pytest

from harness.stack.kit.messages import texts
from harness.stack.sfha.datagrams.core import encoding
from harness.stack.sfha.election.core import Duty, Heartbeat
from harness.stack.sfha.reluctance import watch as watching
from harness.stack.sfha.reluctance.watch import reasons, watch


@dataclass
class Toy:
    """A reason that is so at every other look."""

    name: str
    looks: int = field(default=0)

    def look(self) -> bool:
        self.looks += 1
        return self.looks % 2 == 1


async def test_what_is_seen_is_reported_at_every_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LOOK_EVERY_S", 0.0)
    told: list[tuple[str, bool]] = []
    enough = asyncio.Event()

    def report(name: str, holds: bool) -> None:
        told.append((name, holds))
        if len(told) >= 4:
            enough.set()

    task = asyncio.create_task(watch([Toy("one"), Toy("two")], report))
    try:
        await asyncio.wait_for(enough.wait(), timeout=10)
    finally:
        task.cancel()
    assert told[:4] == [("one", True), ("two", True), ("one", False), ("two", False)]


def test_every_reason_has_a_sentence_and_a_name_that_a_heartbeat_can_carry() -> None:
    names = tuple(reason.name for reason in reasons())
    assert {f"reluctant.{name}" for name in names} == {key for key in texts() if key.startswith("reluctant.")}
    beat = Heartbeat(1, 1, False, True, True, 7, None, duty=Duty(reluctant=names))
    assert encoding.decode(encoding.encode(beat)) == beat
