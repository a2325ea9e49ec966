"""The lease while the roster changes: never two gates open, whatever is lost, late, frozen or forgotten."""

from collections.abc import Mapping, Sequence
from random import Random

import pytest

from harness.stack.sfha.config.timing import FAST
from harness.stack.sfha.lease.core import LeaseCore, View
from harness.stack.sfha.roster.core import (
    Accepted,
    Acceptor,
    Ballot,
    Member,
    Promise,
    Roster,
    next_ballot,
    unfinished,
)
from tests.stack.sfha.lease.chaos import MOST_UNDER_WAY, Chaos, agree_on
from tests.stack.sfha.lease.world import CoreFactory, World

NODES = 5
RATES = [1.0, 1.01, 0.99, 1.0, 1.0]


def member(number: int) -> Member:
    return Member(number, f"n{number}", f"10.90.0.{number}", 1, f"key{number}", f"192.0.2.{number}:1")


class ChangingWorld(World):
    """A lease world whose nodes have acceptors, on disks that survive them. Each method may happen at any time."""

    def __init__(
        self, random: Random, *, wait_s: float, heeds_floor: bool = True, core: CoreFactory = LeaseCore
    ) -> None:
        first = Roster(1, tuple(map(member, (1, 2, 3))), NODES)
        self.random, self.wait_s, self.heeds_floor = random, wait_s, heeds_floor
        self.acceptors = {number: Acceptor(first) for number in range(1, NODES + 1)}
        self.deciding: list[tuple[float, Roster, Ballot]] = []
        super().__init__(RATES, FAST, core=core)

    def boot(self, node: int) -> None:
        super().boot(node)
        self.vote(node)

    def vote(self, node: int) -> None:
        """The node's daemon, if one runs, votes as its acceptor says."""
        daemon, voting = self.machines[node].daemon, self.acceptors[node].voting()
        if daemon is not None:
            floor = voting.floor if self.heeds_floor else (0, 0, 0)
            daemon.core.voters_changed(voting.view, voting.groups, floor, self.clock(node))

    def heard(self, by: int) -> list[int]:
        """Who gets a message of a phase: the sender, and some of the others whose daemon lives."""
        alive = [node for node, machine in self.machines.items() if machine.daemon is not None]
        return [node for node in alive if node == by or self.random.random() < 0.75]

    def propose(self) -> None:
        """One ballot, to be learned a promise after it was decided."""
        by = self.random.choice(list(self.machines))
        if self.machines[by].daemon is None:
            return
        acceptor = self.acceptors[by]
        base, ballot = acceptor.current, next_ballot(by, acceptor.promised, (self.random.randrange(3), 0))
        epoch = base.epoch + 1
        answers = {node: self.acceptors[node].prepare(epoch, ballot) for node in self.heard(by)}
        promises = {node: answer for node, answer in answers.items() if isinstance(answer, Promise)}
        if not base.is_majority(promises):
            return
        value = unfinished(promises.values()) or self.another(base)
        for node in self.heard(by):
            if self.acceptors[node].accept(epoch, ballot, value) is None:
                self.vote(node)
        accepted = [node for node, one in self.acceptors.items() if one.accepted == Accepted(ballot, value)]
        self.tell(f"n{by} proposes {[one.name for one in value.members]} for epoch {epoch}; accepted by {accepted}")
        if base.is_majority(accepted):
            self.deciding.append((self.t_s + self.wait_s, value, ballot))

    def another(self, base: Roster) -> Roster:
        """Any other roster at all: the proof must not depend on how much changes at a time."""
        numbers = self.random.sample(range(1, NODES + 1), self.random.randint(1, NODES))
        return Roster(base.epoch + 1, tuple(map(member, sorted(numbers))), NODES)

    def learn(self) -> None:
        """Somebody hears of a decision that is old enough, or from somebody who has."""
        node = self.random.choice(list(self.machines))
        known = [(value, ballot) for ready_s, value, ballot in self.deciding if ready_s <= self.t_s]
        if known:
            value, ballot = self.random.choice(known)
            if self.acceptors[node].learn(value, ballot if self.random.random() < 0.7 else None):
                self.vote(node)


def live(world: ChangingWorld, random: Random, steps: int) -> None:
    chaos = Chaos(world, random)
    world.advance(world.terms.promise_s)
    agree_on(world, 1)
    mix = [*chaos.mix(), (world.propose, 1.0), (world.learn, 6.0)]
    happenings, chances = zip(*mix, strict=True)
    for happening in random.choices(happenings, chances, k=steps):
        happening()
        while len(world.network) > MOST_UNDER_WAY:
            chaos.lose()
        if world.both_open:
            return


@pytest.mark.parametrize("seed", range(40))
def test_never_two_leases_while_rosters_change(seed: int) -> None:
    random = Random(seed)
    world = ChangingWorld(random, wait_s=FAST.promise_s)
    live(world, random, steps=6000)
    assert world.both_open is None, "\n".join(world.story[-60:])


def test_rosters_do_change_and_leases_do_move_in_this_world() -> None:
    changed = moved = 0
    for seed in range(10):
        random = Random(seed)
        world = ChangingWorld(random, wait_s=FAST.promise_s)
        live(world, random, steps=6000)
        changed += max(one.current.epoch for one in world.acceptors.values()) > 2
        moved += len(set(world.opened)) > 1
    assert changed >= 5
    assert moved >= 5


# --- each rule is needed -------------------------------------------------------------------------


def one_leader_each(world: ChangingWorld) -> None:
    """The roster goes from 1, 2, 3 to 3, 4, 5. Node 1 heard nothing of it, node 2 accepted it, the rest know it."""
    world.advance(world.terms.promise_s + 0.001)
    ballot, value = (1, 3), Roster(2, tuple(map(member, (3, 4, 5))), NODES)
    for node in (2, 3):
        world.acceptors[node].prepare(2, ballot)
        assert world.acceptors[node].accept(2, ballot, value) is None
        world.vote(node)
    for node, leader in ((1, 1), (2, 1), (3, 3), (4, 3), (5, 3)):
        world.elect(node, leader)
    work(world, 0.010)
    world.advance(world.wait_s)
    for node in (3, 4, 5):
        world.acceptors[node].learn(value, ballot)
        world.vote(node)
    work(world, 0.100)


def work(world: ChangingWorld, duration_s: float) -> None:
    """Everything works at once and nothing is lost."""
    end_s = world.t_s + duration_s
    while world.t_s < end_s:
        while world.network or sum(world.step(node) for node in world.machines):
            if world.network:
                world.deliver(0)
        world.advance(0.001)


def test_the_old_majority_cannot_go_on_beside_the_new_one() -> None:
    world = ChangingWorld(Random(1), wait_s=FAST.promise_s)
    one_leader_each(world)
    assert world.both_open is None
    assert world.holders() == [3]


def test_without_the_floor_it_would() -> None:
    world = ChangingWorld(Random(1), wait_s=FAST.promise_s, heeds_floor=False)
    one_leader_each(world)
    assert world.both_open is not None


def test_a_lease_from_before_the_decision_runs_out_before_the_new_roster_is_used_alone() -> None:
    assert not _overlaps(wait_s=FAST.promise_s)
    assert _overlaps(wait_s=0.0)


def _overlaps(*, wait_s: float) -> bool:
    world = ChangingWorld(Random(1), wait_s=wait_s)
    world.advance(world.terms.promise_s + 0.001)
    for node in (1, 2):
        world.elect(node, 1)
    work(world, 0.010)
    assert world.holders() == [1]
    ballot, value = (1, 3), Roster(2, tuple(map(member, (3, 4, 5))), NODES)
    for node in (2, 3):
        world.acceptors[node].prepare(2, ballot)
        world.acceptors[node].accept(2, ballot, value)
        world.vote(node)
    world.advance(world.wait_s)  # node 1 is frozen, its kernel is not
    for node in (3, 4, 5):
        world.acceptors[node].learn(value, ballot)
        world.vote(node)
        world.elect(node, 3)
    for _ in range(3):
        for node in (3, 4, 5):
            world.settle(node)
        while world.network:
            world.deliver(0)
    return world.both_open is not None


class CoreThatAsksOneRosterOnly(LeaseCore):
    """While a change is under way, a majority of the old roster is enough for it."""

    def voters_changed(self, view: View, groups: Sequence[Mapping[int, int]], floor: View, now_s: float) -> None:
        super().voters_changed(view, groups[:1], floor, now_s)


def test_changing_worlds_notice_a_request_that_has_the_old_majority_alone() -> None:
    def overlaps(seed: int) -> bool:
        world = ChangingWorld(random := Random(seed), wait_s=FAST.promise_s, core=CoreThatAsksOneRosterOnly)
        live(world, random, steps=6000)
        return world.both_open is not None

    assert any(overlaps(seed) for seed in range(200))
