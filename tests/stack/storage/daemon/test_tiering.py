"""What the daemon does with a class that is due, on each level; and on a host without MooseFS."""

import asyncio
import io
from pathlib import Path

import pytest

from harness import wait
from harness.stack.storage.autonomy.core import Level
from harness.stack.storage.daemon import tiering
from harness.stack.storage.daemon.autonomy import Autonomy
from harness.stack.storage.daemon.core.requests import State
from harness.stack.storage.daemon.log import LineLog
from harness.stack.storage.daemon.settings import Settings
from harness.stack.storage.daemon.tiering import Tiering
from harness.stack.storage.places import Places
from harness.stack.storage.tiering.core import Change, Plan, Policy, Tier
from harness.stack.storage.tiering.looking import Look, Wanted
from harness.stack.storage.tiering.use import Folder


def wanted(folder: Path) -> Wanted:
    return Wanted((Folder(folder),), Policy((Tier("3CP"), Tier("2CP", 86400.0))))


@pytest.mark.promise("S5-74")
@pytest.mark.parametrize(
    ("level", "states"),
    [
        (Level.SAFE, []),
        (Level.STORAGE, [State.WAITING]),
        (Level.ADVANCED, [State.FAILED]),
    ],
)
def test_by_itself_at_level_four_with_a_person_at_three_and_below_only_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: Level, states: list[State]
) -> None:
    """Where it may be done it is tried, and refused: what is looked at again is no MooseFS here."""
    changes = tuple(Change(str(tmp_path / name), "3CP", "2CP", 2, 4096, "it is not used") for name in ("a", "b"))
    monkeypatch.setattr(tiering, "look", lambda *_: Look(plan=Plan(changes)))

    async def looked() -> list[tuple[State, str]]:
        autonomy = Autonomy(Places(tmp_path / "state", tmp_path / "run"), Settings(level=level), LineLog(io.StringIO()))
        one = Tiering(wanted(tmp_path), autonomy, LineLog(io.StringIO()))
        await one.look()

        async def at_rest() -> bool:
            requests = autonomy.store.state.requests.by_id.values()
            return not any(each.state in (State.READY, State.RUNNING) for each in requests)

        await wait.until(at_rest, within_s=30, what="what was asked for has ended", every_s=0.01)
        assert len(one.seen.plan.changes) == 2
        return [(each.state, each.outcome) for each in autonomy.store.state.requests.by_id.values()]

    found = asyncio.run(looked())
    assert [state for state, _ in found] == states, "one at a time: the copies of each come before the next"
    assert all("is not on a MooseFS" in outcome for state, outcome in found if state is State.FAILED)


def test_on_a_host_without_moosefs_it_says_why_nothing_is_changed(tmp_path: Path) -> None:
    async def looked() -> Tiering:
        autonomy = Autonomy(
            Places(tmp_path / "state", tmp_path / "run"), Settings(level=Level.FAILOVER), LineLog(io.StringIO())
        )
        one = Tiering(wanted(tmp_path), autonomy, LineLog(io.StringIO()))
        await one.look()
        assert not autonomy.store.state.requests.by_id
        return one

    assert "is not on a MooseFS" in asyncio.run(looked()).seen.plan.waits
