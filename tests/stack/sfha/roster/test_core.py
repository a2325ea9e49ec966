"""Rosters: one per epoch, whoever proposes, crashes or is late. For their leases see lease/test_rosters.py."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stack.sfha.roster.core import (
    NEVER,
    Accepted,
    Acceptor,
    Ballot,
    Member,
    Promise,
    Refusal,
    Roster,
    RosterError,
    next_ballot,
    quorum_guard,
    roster_from_json,
    roster_to_json,
    unfinished,
)


def member(number: int, *, voter: bool = True) -> Member:
    return Member(number, f"n{number}", f"10.90.0.{number}", 1, f"key{number}", f"192.0.2.{number}:51820", voter)


def roster(*numbers: int, epoch: int = 1) -> Roster:
    return Roster(epoch, tuple(map(member, numbers)), max(numbers))


def test_a_newcomer_does_not_vote_until_it_is_up() -> None:
    grown = roster(1, 2).with_member(member(3))
    assert (grown.epoch, grown.highest_id, grown.votes()) == (2, 3, {1: 1, 2: 1, 3: 0})
    assert [one.name for one in grown.newcomers()] == ["n3"]
    assert grown.with_voter("n3").votes() == {1: 1, 2: 1, 3: 1}


def test_nothing_is_given_twice() -> None:
    known = roster(1, 2, 3)
    for twice in (
        Member(4, "n2", "10.90.0.4", 1, "key4", "x:1"),
        Member(4, "n4", "10.90.0.2", 1, "key4", "x:1"),
        Member(4, "n4", "10.90.0.4", 1, "key2", "x:1"),
        Member(3, "n4", "10.90.0.4", 1, "key4", "x:1"),
    ):
        with pytest.raises(RosterError):
            known.with_member(twice)
    with pytest.raises(RosterError, match="given before"):
        known.without("n3").with_member(member(3))


def test_the_guard_lets_three_nodes_with_one_offline_remove_it() -> None:
    assert quorum_guard(roster(1, 2, 3), "n3", {1, 2}) is None
    assert "1 of 2 votes" in str(quorum_guard(roster(1, 2, 3), "n2", {1, 2}))
    assert quorum_guard(roster(1, 2, 3, 4, 5), "n5", {1, 2, 3}) is None
    assert quorum_guard(roster(1, 2), "n2", {1}) is None


@given(st.lists(st.integers(1, 50), min_size=1, max_size=7, unique=True), st.booleans())
def test_what_is_written_is_what_is_read(numbers: list[int], newcomer: bool) -> None:
    one = roster(*sorted(numbers))
    one = one.with_member(member(99)) if newcomer else one
    assert roster_from_json(json.loads(json.dumps(roster_to_json(one)))) == one


@pytest.mark.parametrize(
    "noise", [None, {}, [], {"epoch": 1}, {"epoch": 1, "members": [[1]], "highest_id": 1, "cause": ""}]
)
def test_noise_is_no_roster(noise: object) -> None:
    with pytest.raises(ValueError, match="not a"):
        roster_from_json(noise)


# --- a readable transcript -----------------------------------------------------------------------


def test_an_interrupted_change_is_finished_by_the_next_one() -> None:
    first = roster(1, 2, 3)
    nodes = {number: Acceptor(first) for number in (1, 2, 3)}
    abandoned = first.without("n3")
    assert isinstance(nodes[1].prepare(2, (1, 1)), Promise)
    assert isinstance(nodes[2].prepare(2, (1, 1)), Promise)
    assert nodes[2].accept(2, (1, 1), abandoned) is None  # node 1, which proposed it, dies here
    promises = [nodes[2].prepare(2, (2, 2)), nodes[3].prepare(2, (2, 2))]
    assert unfinished(one for one in promises if isinstance(one, Promise)) == abandoned


def test_who_accepted_asks_in_both_rosters_and_hears_nobody_who_does_not() -> None:
    first = roster(1, 2, 3)
    node = Acceptor(first)
    assert node.voting().groups == (first.votes(),)
    node.prepare(2, (1, 1))
    node.accept(2, (1, 1), first.without("n3"))
    voting = node.voting()
    assert voting.groups == ({1: 1, 2: 1, 3: 1}, {1: 1, 2: 1})
    assert voting.view == voting.floor == (1, 1, 1)
    node.learn(first.without("n3"), (1, 1))
    assert (node.voting().view, node.voting().floor) == ((2, 0, 0), (1, 1, 1))
    assert not node.learn(first.without("n3"))


# --- anything may happen -------------------------------------------------------------------------


AcceptorFactory = Callable[[Roster, Ballot, Accepted | None], Acceptor]


@dataclass
class Wire:
    """Acceptors on their disks, proposers that die anywhere, messages that come late or never."""

    random: Random
    first: Roster
    acceptor: AcceptorFactory = Acceptor
    nodes: dict[int, Acceptor] = field(default_factory=dict)
    decided: dict[int, Roster] = field(default_factory=dict)
    machines: int = 0

    def __post_init__(self) -> None:
        self.nodes = {number: self.acceptor(self.first, NEVER, None) for number in range(1, 10)}

    def heard(self) -> list[int]:
        return [node for node in self.nodes if self.random.random() < 0.7]

    def propose(self, by: int) -> None:
        """One ballot of one proposer; each message may be lost, and it may die between the phases."""
        acceptor = self.nodes[by]
        base = acceptor.current
        wanted = self.a_change(base)
        if by not in base.votes() or wanted is None:
            return
        ballot = next_ballot(by, acceptor.promised, (self.random.randrange(3), 0))
        answers = {node: self.nodes[node].prepare(base.epoch + 1, ballot) for node in {by, *self.heard()}}
        promises = {node: answer for node, answer in answers.items() if isinstance(answer, Promise)}
        if not base.is_majority(promises) or self.random.random() < 0.15:
            return
        value = unfinished(promises.values()) or wanted
        if self.random.random() < 0.3:
            self.late.append((base, ballot, value))
            return
        self.ask_to_accept(by, base, ballot, value)

    late: list[tuple[Roster, Ballot, Roster]] = field(default_factory=list)
    """Second phases that are still on their way."""

    def ask_to_accept(self, by: int, base: Roster, ballot: Ballot, value: Roster) -> None:
        """The second phase, and what becomes known of it."""
        accepted = [
            node for node in {by, *self.heard()} if self.nodes[node].accept(base.epoch + 1, ballot, value) is None
        ]
        if not base.is_majority(accepted):
            return
        known = self.decided.setdefault(value.epoch, value)
        assert known == value, f"epoch {value.epoch}: both {known.cause} and {value.cause}"
        for node in {by, *self.heard()}:
            self.nodes[node].learn(value, ballot)

    def a_change(self, base: Roster) -> Roster | None:
        """A newcomer is a machine never seen before; now and then a seeder would give it an id that is free again."""
        newcomers = base.newcomers()
        if newcomers and self.random.random() < 0.6:
            return base.with_voter(newcomers[0].name)
        if len(base.members) > 2 and self.random.random() < 0.5:
            return base.without(self.random.choice(base.members).name)
        free = [number for number in self.nodes if number not in base.votes()]
        unused = [number for number in free if number > base.highest_id]
        candidates = free if self.random.random() < 0.2 else unused
        if not candidates:
            return None
        self.machines += 1
        newcomer = replace(member(candidates[0]), public_key=f"machine{self.machines}", name=f"m{self.machines}")
        try:
            return base.with_member(newcomer)
        except RosterError:
            return None

    def something_happens(self) -> None:
        happens = self.random.random()
        if happens < 0.6:
            self.propose(self.random.choice(sorted(self.nodes)))
        elif happens < 0.75 and self.late:
            base, ballot, value = self.late.pop(self.random.randrange(len(self.late)))
            self.ask_to_accept(ballot[1], base, ballot, value)
        elif happens < 0.9:
            late, early = self.random.sample(sorted(self.nodes), 2)  # one that is behind asks one that is ahead
            self.nodes[late].learn(self.nodes[early].current)
        else:
            node = self.random.choice(sorted(self.nodes))  # power is cut, and back: what is on the disk is known
            before = self.nodes[node]
            self.nodes[node] = self.acceptor(before.current, before.promised, before.accepted)

    def check_the_chain(self) -> None:
        """One roster an epoch, without a gap, and each id was one machine's for ever."""
        owners: dict[int, str] = {}
        chain = [self.first, *(self.decided[epoch] for epoch in sorted(self.decided))]
        for before, after in pairwise(chain):
            assert after.epoch == before.epoch + 1
            assert after.highest_id >= before.highest_id
        for one in chain:
            for known in one.members:
                assert owners.setdefault(known.node_id, known.public_key) == known.public_key, (
                    f"id {known.node_id} was given again"
                )


def live(wire: Wire, steps: int = 120) -> Wire:
    for _ in range(steps):
        wire.something_happens()
    wire.check_the_chain()
    return wire


@given(st.integers(0, 2**32))
@settings(max_examples=200, deadline=None)
def test_one_roster_an_epoch(seed: int) -> None:
    live(Wire(Random(seed), roster(1, 2, 3)))


def test_rosters_do_change_in_these_lives() -> None:
    assert sum(len(live(Wire(Random(seed), roster(1, 2, 3))).decided) > 3 for seed in range(20)) > 10


# --- each rule is needed -------------------------------------------------------------------------


class AcceptorThatBreaksPromises(Acceptor):
    """It accepts in a ballot below one that it has promised."""

    def accept(self, epoch: int, ballot: Ballot, roster: Roster) -> Refusal | None:
        self.promised = NEVER
        return super().accept(epoch, ballot, roster)


class AcceptorThatIsAsGoodAsItsMemory(Acceptor):
    """What it has promised and accepted was not on the disk when the power was cut."""

    def __init__(self, current: Roster, _promised: Ballot = NEVER, _accepted: Accepted | None = None) -> None:
        super().__init__(current)


class RosterThatGivesIdsAgain(Roster):
    """It does not know which ids were given before."""

    def with_member(self, member: Member) -> Roster:
        return Roster.with_member(Roster(self.epoch, self.members, member.node_id - 1, self.cause), member)

    def with_voter(self, name: str) -> Roster:
        return _forgetting(super().with_voter(name))

    def without(self, name: str, *, by_itself: bool = False) -> Roster:
        return _forgetting(super().without(name, by_itself=by_itself))


def _forgetting(one: Roster) -> Roster:
    return RosterThatGivesIdsAgain(one.epoch, one.members, one.highest_id, one.cause)


@pytest.mark.parametrize(
    ("acceptor", "first"),
    [
        (AcceptorThatBreaksPromises, roster(1, 2, 3)),
        (AcceptorThatIsAsGoodAsItsMemory, roster(1, 2, 3)),
        (Acceptor, _forgetting(roster(1, 2, 3))),
    ],
    ids=["promises are broken", "promises are forgotten", "ids are given again"],
)
def test_the_lives_notice_each_rule_that_is_broken(acceptor: AcceptorFactory, first: Roster) -> None:
    def goes_wrong(seed: int) -> bool:
        try:
            live(Wire(Random(seed), first, acceptor))
        except AssertionError:
            return True
        return False

    assert any(goes_wrong(seed) for seed in range(400))
