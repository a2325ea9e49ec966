"""Changes of the roster that were left unfinished, and those that only seem to be."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from harness.stack.kit.tasks import Tasks
from harness.stack.sfha.admin import roster_changes
from harness.stack.sfha.admin.applied_roster import AppliedRoster
from harness.stack.sfha.admin.roster_changes import RosterChanges
from harness.stack.sfha.mesh.wireguard import WireGuardError
from harness.stack.sfha.p2p.client import Answer, Peers
from harness.stack.sfha.roster.core import Acceptor, Ballot, Member, Roster, roster_to_json

FIRST = Roster(1, tuple(Member(n, f"n{n}", f"10.90.0.{n}", 1, f"KEY{n}", "") for n in range(1, 6)), 5, "init")
BALLOT: Ballot = (1, 5)


@dataclass
class ToyAppliedRoster:
    """Nothing but the acceptor; it writes down at which epoch the tunnel was tidied up."""

    acceptor: Acceptor = field(default_factory=lambda: Acceptor(FIRST))
    mesh: Any = None
    tidied_at: list[int] = field(default_factory=list)
    tasks: Tasks = field(init=False)

    def __post_init__(self) -> None:
        self.tasks = Tasks(self.log)

    def log(self, event: str, **fields: object) -> None:
        """Nobody reads it."""

    def roster(self) -> Roster:
        return self.acceptor.current

    async def stored(self) -> None:
        """There is no disk."""

    async def learn(self, roster: Roster, decided_in: Ballot | None = None) -> bool:
        return self.acceptor.learn(roster, decided_in)

    async def follow(self) -> None:
        """There is no Corosync."""

    async def remove_strangers(self, _but: object) -> None:
        self.tidied_at.append(self.roster().epoch)


@dataclass
class ToyPeers:
    """Writes down what they were asked; they never answer."""

    asked: list[str] = field(default_factory=list)

    async def call(self, name: str, path: str, body: object = None, *, timeout_s: float = 0) -> Answer:
        self.asked.append(path)
        return Answer(0, {}, "not reachable")


@dataclass
class Later:
    """What is to be done later, done when the test says so."""

    due: list[Any] = field(default_factory=list)

    def call_later(self, _delay_s: float, what: Any) -> None:
        self.due.append(what)


class Second:
    """n1 of five, which others ask to accept one roster after the other."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.later, self.peers, self.applied = Later(), ToyPeers(), ToyAppliedRoster()
        self.applied.mesh = type("Mesh", (), {"own": FIRST.members[0]})
        monkeypatch.setattr(asyncio.get_running_loop(), "call_later", self.later.call_later)
        self.changes = RosterChanges(cast(AppliedRoster, self.applied), cast(Peers, self.peers), frozenset)
        self.routes = self.changes.routes()

    async def accepts(self, roster: Roster) -> None:
        body: dict[str, object] = {"epoch": roster.epoch, "ballot": list(BALLOT), "roster": roster_to_json(roster)}
        assert await self.routes["POST", "/roster-accept"]("n5", body) == (200, {})

    async def learns(self, roster: Roster) -> None:
        body: dict[str, object] = {"roster": roster_to_json(roster), "ballot": list(BALLOT)}
        assert await self.routes["POST", "/roster-learn"]("n5", body) == (200, {})

    async def do(self, number: int) -> None:
        """What was to be done later, now, and all that follows from it at once."""
        self.later.due[number]()
        await asyncio.gather(*self.applied.tasks._running)


@pytest.mark.parametrize("phase", ["prepare", "accept"])
async def test_what_is_not_on_the_disk_is_not_answered(monkeypatch: pytest.MonkeyPatch, phase: str) -> None:
    node = Second(monkeypatch)

    async def never(_applied: ToyAppliedRoster) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(ToyAppliedRoster, "stored", never)
    body: dict[str, object] = {"epoch": 2, "ballot": list(BALLOT), "roster": roster_to_json(FIRST.without("n5"))}
    answering = node.routes["POST", f"/roster-{phase}"]("n5", body)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await answering


async def test_what_was_left_unfinished_is_proposed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    node = Second(monkeypatch)
    await node.accepts(FIRST.without("n5"))
    await node.do(0)
    assert set(node.peers.asked) == {"/roster-prepare"}


async def test_what_was_left_unfinished_is_finished_after_a_restart_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is to be done later is forgotten with the process, and what was accepted is not."""
    node = Second(monkeypatch)
    node.changes.resume()
    assert node.later.due == [], "nothing was accepted"
    node.applied.acceptor.accept(2, BALLOT, FIRST.without("n5"))
    node.changes.resume()
    await node.do(0)
    assert set(node.peers.asked) == {"/roster-prepare"}


async def test_a_tunnel_that_could_not_be_tidied_is_tidied_later(monkeypatch: pytest.MonkeyPatch) -> None:
    node = Second(monkeypatch)
    second = FIRST.without("n5")
    await node.learns(second)

    async def fails(_applied: ToyAppliedRoster) -> None:
        raise WireGuardError("No such device")

    with monkeypatch.context() as broken:
        broken.setattr(ToyAppliedRoster, "follow", fails)
        await node.do(0)
    assert node.applied.tidied_at == []
    await node.do(1)
    assert node.applied.tidied_at == [second.epoch]


async def test_who_catches_up_tidies_up_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have learned of a removal before, and failed to take the tunnel down."""
    node = Second(monkeypatch)
    second = FIRST.without("n5")
    node.applied.acceptor.learn(second)

    async def answers(*_arguments: object, **_more: object) -> Answer:
        return Answer(200, {"roster": roster_to_json(second)}, None)

    monkeypatch.setattr(ToyPeers, "call", answers)
    await node.changes.catch_up("n2")
    await node.do(-1)
    assert node.applied.tidied_at == [second.epoch]


async def test_the_next_change_is_not_finished_in_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    """n5 left; three seconds after that was accepted n4, which leaves now, has not said goodbye to anybody yet."""
    node = Second(monkeypatch)
    monkeypatch.setattr(roster_changes, "TIDY_AFTER_S", 0.0)
    second = FIRST.without("n5")
    await node.accepts(second)
    await node.learns(second)
    await node.accepts(second.without("n4"))
    await node.do(0)
    assert node.peers.asked == [], "somebody else's change was taken over"
    await node.learns(second.without("n4"))
    await node.do(1)  # to tidy up after n5: not while n4 says goodbye
    assert node.peers.asked == []
    assert node.applied.tidied_at == []
    await node.do(-1)  # as long again
    assert node.applied.tidied_at == [second.epoch + 1]
