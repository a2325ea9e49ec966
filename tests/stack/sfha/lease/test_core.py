"""The lease: never two gates open, whatever freezes, crashes, gets lost or comes late."""

from random import Random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from harness.stack.sfha.config.timing import CLOCK_RATE_ERROR, FAST, LAN, PROFILES, Profile
from harness.stack.sfha.lease import core as lease
from harness.stack.sfha.lease.core import (
    GateCall,
    Leadership,
    LeaseCore,
    Phase,
    Release,
    Request,
    Send,
    Terms,
)
from tests.stack.sfha.lease.chaos import agree_on, wander
from tests.stack.sfha.lease.world import CoreFactory, Kernel, KernelFactory, World

RATES = [1 + CLOCK_RATE_ERROR, 1.0, 1 - CLOCK_RATE_ERROR]
EVERYBODY = frozenset({1, 2, 3})


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_a_take_over_never_waits_for_a_promise(profile: Profile) -> None:
    assert profile.promise_ends_before_new_quorum()
    assert profile.promise_s > 2 * profile.lease_s


# --- readable transcripts ------------------------------------------------------------------------


def calm_world(profile: Profile = FAST) -> World:
    """Three nodes that have been up long enough to vote."""
    world = World([1.0, 1.0, 1.0], profile)
    world.advance(profile.promise_s + 0.001)
    return world


def run_for(world: World, duration_s: float, *, frozen: frozenset[int] = frozenset()) -> None:
    """Everything works at once and nothing is lost, in steps of a millisecond."""
    end_s = world.t_s + duration_s
    while world.t_s < end_s:
        busy = True
        while busy:
            busy = False
            while world.network:
                world.deliver(0)
            for node in world.machines:
                if node not in frozen:
                    while world.step(node):
                        busy = True
        world.advance(0.001)


def test_the_leader_gets_the_lease_in_one_round_and_keeps_it() -> None:
    world = calm_world()
    agree_on(world, 1)
    run_for(world, 1.0)
    assert world.holders() == [1]
    assert world.opened == [1]
    assert world.renewed >= 20


def test_a_planned_switch_over_takes_no_time() -> None:
    world = calm_world()
    agree_on(world, 1)
    run_for(world, 0.5)
    agree_on(world, 2)
    run_for(world, 0.003)
    assert world.holders() == [2]


def test_a_frozen_holder_goes_dark_by_itself_and_cannot_come_back_with_an_old_decision() -> None:
    world = calm_world()
    agree_on(world, 1)
    run_for(world, 0.5)
    run_for(world, FAST.lease_s + 0.010, frozen=frozenset({1}))
    assert world.holders() == []
    for node in (2, 3):
        world.elect(node, 2)
    run_for(world, FAST.promise_s, frozen=frozenset({1}))
    assert world.holders() == [2]
    run_for(world, 1.0)  # node 1 thaws and still believes that it leads
    assert world.holders() == [2]
    assert world.both_open is None


@pytest.mark.parametrize("steps", range(12))
def test_a_candidate_frozen_at_any_step_of_taking_the_lease_never_opens_late(steps: int) -> None:
    world = calm_world()
    agree_on(world, 1)
    taken = 0
    while taken < steps:
        while world.network:
            world.deliver(0)
        for node in (2, 3):
            world.settle(node)
        taken += 1
        if not world.step(1):
            break
    run_for(world, FAST.promise_s + 0.05, frozen=frozenset({1}))
    for node in (2, 3):
        world.elect(node, 2)
    run_for(world, 0.1, frozen=frozenset({1}))
    assert world.holders() == [2]
    run_for(world, 0.5)
    assert world.both_open is None


def test_without_a_majority_of_answers_the_gate_closes() -> None:
    world = calm_world()
    agree_on(world, 1)
    run_for(world, 0.5)
    run_for(world, FAST.lease_s + 0.010, frozen=frozenset({2, 3}))
    assert world.holders() == []


def test_a_late_release_does_not_undo_a_newer_promise() -> None:
    voter = LeaseCore(3, {1: 1, 2: 1, 3: 1}, Terms(0.15, 0.31, 0.04), incarnation=9, now_s=0.0)
    voter.step(Leadership(1, True, EVERYBODY), 1.0)
    voter.step(lease.Received(1, Request(7, 5)), 1.0)
    voter.step(lease.Received(1, Request(7, 3)), 1.0)  # an old one, late
    voter.step(lease.Received(1, Release(7, 4)), 1.0)
    voter.step(lease.Received(1, Release(6, 99)), 1.0)  # of an earlier life
    voter.step(Leadership(2, True, EVERYBODY), 1.1)
    (answer,) = voter.step(lease.Received(2, Request(8, 1)), 1.1)
    assert isinstance(answer, Send)
    assert isinstance(answer.message, lease.Vote)
    assert not answer.message.granted
    assert answer.message.wait_s == pytest.approx(0.21)


def test_who_asked_for_this_vote_until_lately_is_known() -> None:
    voter = LeaseCore(3, {1: 1, 2: 1, 3: 1}, Terms(0.15, 0.31, 0.04), incarnation=9, now_s=0.0)
    assert voter.asks_for_this_vote(0.0) is None
    voter.step(Leadership(1, True, EVERYBODY), 1.0)
    voter.step(lease.Received(1, Request(7, 5)), 1.0)
    assert voter.asks_for_this_vote(1.3) == 1
    assert voter.asks_for_this_vote(1.31) is None
    voter.step(lease.Received(1, Release(7, 5)), 1.0)
    assert voter.asks_for_this_vote(1.0) is None


def test_no_votes_are_needed_when_the_guard_is_switched_off_on_purpose() -> None:
    core = LeaseCore(1, {1: 1, 2: 1, 3: 1}, Terms(0.15, 0.31, 0.04, needs_votes=False), 1, now_s=0.0)
    assert core.step(Leadership(1, False, frozenset({1})), 1.0) == [GateCall.ARM]
    assert core.step(lease.GateDone(GateCall.ARM, True), 1.0) == [GateCall.OPEN]
    assert core.step(lease.GateDone(GateCall.OPEN, True), 1.0) == [lease.Held()]
    assert core.wake_s == pytest.approx(1.04)
    assert core.step(lease.Wake(), 1.04) == [GateCall.RENEW]


def test_nothing_is_released_when_releasing_is_switched_off_on_purpose() -> None:
    core = LeaseCore(1, {1: 1}, Terms(0.15, 0.31, 0.04, released_on_loss=False), 1, now_s=0.0)
    core.step(Leadership(1, True, frozenset({1})), 1.0)
    core.step(lease.GateDone(GateCall.ARM, True), 1.0)
    core.step(lease.GateDone(GateCall.OPEN, True), 1.0)
    assert core.step(Leadership(None, False, frozenset({1})), 1.01) == []
    assert core.phase is Phase.HOLDING
    assert core.step(lease.Wake(), 1.05) == [GateCall.RENEW]


def test_what_is_not_answered_is_asked_four_times_before_the_lease_has_run_out() -> None:
    terms = Terms(FAST.lease_s, FAST.promise_s, FAST.renew_every_s)
    core = LeaseCore(1, {1: 1, 2: 1, 3: 1}, terms, incarnation=1, now_s=0.0)
    core.step(Leadership(1, True, EVERYBODY), 1.0)
    core.step(lease.GateDone(GateCall.ARM, True), 1.0)
    core.step(lease.Received(2, lease.Vote(1, 1, True)), 1.0)
    core.step(lease.GateDone(GateCall.OPEN, True), 1.0)
    asked_s = []
    while core.phase is Phase.HOLDING:
        assert core.wake_s is not None
        at_s = core.wake_s
        asked_s += [at_s for action in core.step(lease.Wake(), at_s) if isinstance(action, Send)]
    assert asked_s[:4] == pytest.approx([1.050, 1.075, 1.100, 1.125])
    assert at_s == pytest.approx(1.0 + FAST.lease_s)


class CoreThatReusesVotes(LeaseCore):
    """Votes are not voided by being used."""

    def _use_votes(self) -> list[lease.Action]:
        asked, granted = self._asked, set(self._granted_by)
        actions = super()._use_votes()
        self._asked, self._granted_by = asked, granted
        return actions


@pytest.mark.parametrize(("core", "both"), [(LeaseCore, False), (CoreThatReusesVotes, True)])
def test_a_vote_that_comes_late_does_not_prolong_a_lease_it_already_counted_for(core: CoreFactory, both: bool) -> None:
    world = World([1.0, 1.0, 1.0], FAST, core=core)
    world.advance(FAST.promise_s + 0.001)
    agree_on(world, 1)
    run_for(world, 0.03)
    while not world.network:  # up to the first renewal
        world.advance(0.001)
        world.settle(1)
    while any(isinstance(message, Request) for _, _, message in world.network):
        world.deliver(0)
        world.settle(2)
        world.settle(3)
    votes = list(world.network)  # granted now; they arrive one after the other, much later
    for vote, after in zip(votes, (0.7, 0.9), strict=True):
        world.advance(after * FAST.lease_s)
        world.network = [vote]
        world.deliver(0)
        world.settle(1)
    world.network.clear()
    for node in (2, 3):
        world.elect(node, 2)
    run_for(world, 0.6 * FAST.lease_s, frozen=frozenset({1}))
    assert 2 in world.holders()
    assert (world.both_open is not None) is both


# --- many random worlds --------------------------------------------------------------------------


def worlds(count: int, steps: int, **parts: object) -> list[World]:
    """The worlds of seeds 0 to ``count``, up to the first in which two gates were open."""
    seen = []
    for seed in range(count):
        random = Random(seed)
        rates = [random.choice(RATES) for _ in range(random.choice((3, 3, 5)))]
        world = World(rates, random.choice((FAST, LAN)), **parts)  # type: ignore[arg-type]
        wander(world, random, steps)
        seen.append(world)
        if world.both_open:
            break
    return seen


def test_two_gates_are_never_open_in_any_random_world() -> None:
    seen = worlds(count=120, steps=4000)
    assert seen[-1].both_open is None, "\n".join([*seen[-1].story[-60:], str(seen[-1].both_open)])
    assert sum(len(set(world.opened)) > 1 for world in seen) > 50, "the worlds were too quiet to show anything"
    assert sum(world.renewed for world in seen) > 500


class KernelThatRenewsAnything(Kernel):
    """Renewing is a plain write, not a compare-and-set."""

    def execute(self, call: GateCall, t_s: float) -> bool:
        if call is GateCall.RENEW:
            self.open_until_s = t_s + self.lives_s
            return True
        return super().execute(call, t_s)


class KernelThatOpensUnarmed(Kernel):
    """Opening does not need an arming that lives."""

    def execute(self, call: GateCall, t_s: float) -> bool:
        if call is GateCall.OPEN:
            self.open_until_s = t_s + self.lives_s
            return True
        return super().execute(call, t_s)


class CoreThatAsksBeforeItArms(LeaseCore):
    """A request is on its way before the arming that its votes are to open."""

    def step(self, signal: lease.Signal, now_s: float) -> list[lease.Action]:
        actions = super().step(signal, now_s)
        if actions[-1:] == [GateCall.ARM]:
            return [*actions[:-1], *self._ask(now_s), GateCall.ARM]
        return actions


class CoreWithoutSilence(LeaseCore):
    """A voter that votes at once after its start."""

    def ready(self, now_s: float) -> bool:
        return True


class CoreThatReleasesFirst(LeaseCore):
    """The release is sent before the kernel has closed."""

    def _leave(self, reason: str) -> list[lease.Action]:
        return [Send(None, Release(self._incarnation, self.number)), *super()._leave(reason)]


class CoreThatForgetsPromises(LeaseCore):
    """A voter that does not look at what it promised."""

    def _promise_to(self, node: int, incarnation: int, number: int, now_s: float) -> bool:
        self._promise = None
        return super()._promise_to(node, incarnation, number, now_s)


@pytest.mark.parametrize(
    ("core", "kernel", "promise_s"),
    [
        (LeaseCore, KernelThatRenewsAnything, None),
        (LeaseCore, KernelThatOpensUnarmed, None),
        (CoreThatAsksBeforeItArms, Kernel, None),
        (LeaseCore, Kernel, FAST.lease_s),
        (CoreWithoutSilence, Kernel, None),
        (CoreThatReleasesFirst, Kernel, None),
        (CoreThatForgetsPromises, Kernel, None),
    ],
    ids=lambda part: getattr(part, "__name__", None),
)
def test_the_random_worlds_notice_each_rule_that_is_broken(
    core: CoreFactory, kernel: KernelFactory, promise_s: float | None
) -> None:
    assert worlds(count=400, steps=3000, core=core, kernel=kernel, promise_s=promise_s)[-1].both_open


# --- the same world, searched by hypothesis ------------------------------------------------------

NODE = st.sampled_from([1, 2, 3])


class LeaseMachine(RuleBasedStateMachine):
    """Hypothesis chooses what happens, and shrinks what went wrong to the shortest story."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(RATES, FAST)

    @rule(lease_part=st.sampled_from([0.01, 0.3, 0.9, 1.1, 2.2]))
    def time_passes(self, lease_part: float) -> None:
        self.world.advance(lease_part * FAST.lease_s)

    @rule(leader=st.sampled_from([None, 1, 2, 3]))
    def all_agree(self, leader: int | None) -> None:
        agree_on(self.world, leader)

    @rule(node=NODE, leader=NODE)
    def one_errs(self, node: int, leader: int) -> None:
        self.world.elect(node, leader)

    @rule(node=NODE, steps=st.integers(1, 6))
    def a_few_steps(self, node: int, steps: int) -> None:
        for _ in range(steps):
            self.world.step(node)

    @rule(node=NODE)
    def all_it_can(self, node: int) -> None:
        self.world.settle(node)

    @precondition(lambda self: self.world.network)
    @rule(place=st.integers(0, 7), keep=st.booleans())
    def arrives(self, place: int, keep: bool) -> None:
        self.world.deliver(place % len(self.world.network), keep=keep)

    @rule()
    def all_arrive(self) -> None:
        while self.world.network:
            self.world.deliver(0)

    @rule(node=NODE, power=st.booleans())
    def crashes(self, node: int, power: bool) -> None:
        self.world.crash(node, power=power)

    @rule(node=NODE)
    def boots(self, node: int) -> None:
        self.world.boot(node)

    @invariant()
    def at_most_one_gate_is_open(self) -> None:
        assert self.world.both_open is None, "\n".join([*self.world.story, str(self.world.both_open)])


TestLeaseMachine = LeaseMachine.TestCase
TestLeaseMachine.settings = settings(
    max_examples=60, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck)
)
