"""Whom to fence: transcripts to read, then anything at any time, in which no limit is ever passed."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from harness.stack.sfha.fencing.core import LOOP_LIMIT, STAYED_S, STILL_A_MEMBER, STORM_WINDOW_S, FencingCore
from harness.stack.sfha.fencing.outlook import Outlook
from harness.stack.sfha.fencing.signals import (
    Action,
    Cancelled,
    Fencing,
    Forgiven,
    Goodbye,
    IsOff,
    Look,
    Looked,
    Noted,
    PowerOff,
    Refusal,
    Refused,
    Rules,
    Scheduled,
    Signal,
    Switched,
    Tell,
    WaitsFor,
    Wake,
)

ALL = frozenset({1, 2, 3})
RULES = Rules(enabled=True, nodes=ALL, min_delay_s=60, storm_limit=2, grace_s=0, delay_s=10)
HAPPY = Outlook(leads=False, quorate=True, members=ALL)
ALONE_LEADING = Outlook(leads=True, quorate=True, members=frozenset({2, 3}))


class Told:
    """Node 2 of three, its clock, and a transcript without the times."""

    def __init__(self, rules: Rules = RULES, history: tuple[Fencing, ...] = ()) -> None:
        self.now_s = 1000.0
        self.core = FencingCore(2, ALL, rules, history, self.now_s)

    def tell(self, signal: Signal, after_s: float = 0.0) -> list[Action]:
        self.now_s += after_s
        actions = self.core.step(signal, self.now_s)
        return [action for action in actions if not isinstance(action, Tell)]


@pytest.fixture
def leading() -> Told:
    """Node 2 leads: node 1 has just left without a word."""
    told = Told()
    assert told.tell(HAPPY) == []
    assert told.tell(ALONE_LEADING) == [Scheduled(1, told.now_s + 10)]
    return told


def test_a_node_that_left_is_fenced_after_the_delay(leading: Told) -> None:
    assert leading.tell(Wake(), 9.9) == []
    assert leading.tell(Wake(), 0.1) == [PowerOff(1)]
    assert leading.tell(Switched(1), 2) == [IsOff(1)]
    assert leading.tell(Wake(), 1000) == []
    assert leading.core.history[-1] == Fencing(1, 2, 1010, automatic=True, ok=True)


def test_a_node_that_returns_is_not_fenced(leading: Told) -> None:
    assert leading.tell(HAPPY, 5) == [Cancelled(1, "it is back")]
    assert leading.tell(Wake(), 100) == []


def test_without_quorum_nobody_is_fenced_and_the_delay_begins_anew(leading: Told) -> None:
    assert leading.tell(replace(ALONE_LEADING, quorate=False), 9) == [Cancelled(1, "quorum lost")]
    assert leading.tell(Wake(), 100) == []
    assert leading.tell(ALONE_LEADING) == [Scheduled(1, leading.now_s + 10)]


def test_only_the_leader_fences() -> None:
    told = Told()
    told.tell(HAPPY)
    assert told.tell(replace(ALONE_LEADING, leads=False)) == []
    assert told.tell(Wake(), 100) == []


def test_a_node_that_said_goodbye_is_left_alone() -> None:
    told = Told()
    told.tell(HAPPY)
    told.tell(Goodbye(1))
    assert told.tell(ALONE_LEADING) == []


def test_a_node_that_said_goodbye_but_kept_its_claim_is_fenced() -> None:
    told = Told()
    told.tell(HAPPY)
    told.tell(Goodbye(1))
    told.tell(ALONE_LEADING)
    assert told.tell(WaitsFor(1)) == [Scheduled(1, told.now_s + 10), Look(1)]


def test_what_another_node_has_fenced_is_not_fenced_again() -> None:
    told = Told()
    told.tell(HAPPY)
    told.tell(Noted(Fencing(1, 3, told.now_s + 1, automatic=False, ok=True)), 2)
    assert told.tell(ALONE_LEADING) == []
    assert told.tell(WaitsFor(1)) == [Scheduled(1, told.now_s + 10), Look(1)]


def test_an_old_fencing_that_is_told_again_says_nothing_about_today() -> None:
    told = Told()
    told.tell(HAPPY)
    told.tell(Noted(Fencing(1, 3, told.now_s - 500, automatic=True, ok=True)))
    assert told.tell(ALONE_LEADING) == [Scheduled(1, told.now_s + 10)]


def test_a_node_that_was_never_here_is_left_alone() -> None:
    told = Told()
    told.tell(ALONE_LEADING)
    assert told.tell(Wake(), 1000) == []


def test_a_node_that_is_off_already_needs_no_fencing(leading: Told) -> None:
    assert leading.tell(WaitsFor(1)) == [Look(1)]
    assert leading.tell(Looked(1, off=True), 0.1) == [IsOff(1), Cancelled(1, "it is off")]
    assert leading.core.history == []


def test_a_switch_that_calls_a_living_member_off_is_not_believed() -> None:
    told = Told()
    told.tell(replace(HAPPY, leads=True))
    told.tell(WaitsFor(1))
    told.tell(replace(HAPPY, leads=True, silent=frozenset({1})))
    assert told.tell(Looked(1, off=True)) == []


def test_a_hung_daemon_that_services_wait_for_is_fenced_and_believed_off_when_corosync_agrees() -> None:
    told = Told()
    silent = replace(HAPPY, leads=True, silent=frozenset({1}))
    told.tell(silent)
    told.tell(WaitsFor(1))
    told.tell(Looked(1, off=False))
    assert told.tell(Wake(), 10) == [PowerOff(1)]
    assert told.tell(Switched(1), 1) == []
    assert told.tell(ALONE_LEADING, 0.7) == [IsOff(1)]


def test_the_wrong_machine_behind_the_switch_is_noticed() -> None:
    told = Told()
    told.tell(replace(HAPPY, leads=True, silent=frozenset({1})))
    told.tell(WaitsFor(1))
    told.tell(Wake(), 10)
    told.tell(Switched(1), 1)
    told.tell(Wake(), 10)
    assert told.core.history[-1].error == STILL_A_MEMBER
    assert not told.core.is_off(1)


def test_a_failed_fencing_is_tried_again_when_the_minimum_delay_has_passed(leading: Told) -> None:
    leading.tell(WaitsFor(1))
    leading.tell(Looked(1, off=None))
    assert leading.tell(Wake(), 10) == [PowerOff(1)]
    assert leading.tell(Switched(1, "no route to the switch"), 5) == [Scheduled(1, leading.now_s + 10), Look(1)]
    leading.tell(Looked(1, off=None))
    assert leading.tell(Wake(), 10)[0] == Refused(1, Refusal.MIN_DELAY, 1070)
    assert PowerOff(1) in leading.tell(Wake(), 45)


def test_grace_after_the_start_and_what_a_person_may_override() -> None:
    told = Told(replace(RULES, grace_s=120))
    told.tell(HAPPY)
    told.tell(ALONE_LEADING)
    assert told.tell(Wake(), 10) == [Refused(1, Refusal.STARTUP_GRACE, 1120)]
    assert told.core.fence(1, told.now_s) is Refusal.STARTUP_GRACE
    assert isinstance(told.core.fence(1, told.now_s, force=True), list)


@pytest.mark.parametrize(
    ("node", "rules", "quorate", "refusal"),
    [
        (2, RULES, True, Refusal.OWN),
        (1, replace(RULES, nodes=frozenset(), enabled=False), False, Refusal.NOT_CONFIGURED),
        (1, replace(RULES, enabled=False), False, Refusal.DISABLED),
        (1, replace(RULES, grace_s=100), False, Refusal.NO_QUORUM),
        (1, replace(RULES, grace_s=100), True, Refusal.STARTUP_GRACE),
    ],
)
def test_the_order_of_the_checks(node: int, rules: Rules, quorate: bool, refusal: Refusal) -> None:
    told = Told(rules)
    told.tell(replace(ALONE_LEADING, quorate=quorate))
    assert told.core.refusal(node, told.now_s, automatic=True) is refusal
    assert told.core.refusal(node, told.now_s, automatic=False, force=True) is not Refusal.STARTUP_GRACE


def test_the_storm_limit_counts_what_others_did() -> None:
    told = Told()
    told.tell(HAPPY)
    for number, node in enumerate((1, 3)):
        told.tell(Noted(Fencing(node, 3, told.now_s - 70 + number, automatic=True, ok=True)))
    told.tell(ALONE_LEADING)
    assert told.tell(Wake(), 10) == [Refused(1, Refusal.STORM, 1000 - 70 + STORM_WINDOW_S)]


def test_a_fencing_of_an_earlier_life_counts_and_is_not_running_any_more() -> None:
    told = Told(history=(Fencing(1, 2, 990, automatic=True),))
    assert told.core.running() is None
    told.tell(ALONE_LEADING)
    assert told.core.refusal(1, told.now_s, automatic=False) is Refusal.MIN_DELAY


def test_a_node_that_never_stays_is_left_off_until_a_person_looks() -> None:
    told = Told()
    told.tell(HAPPY)
    fenced = 0
    for _ in range(10):
        told.tell(ALONE_LEADING)
        if PowerOff(1) in told.tell(Wake(), 400):
            fenced += 1
            told.tell(Switched(1))
        told.tell(HAPPY)
    assert fenced == LOOP_LIMIT
    assert told.core.refused() == {}
    told.tell(Forgiven(1, told.now_s))
    told.tell(ALONE_LEADING)
    assert PowerOff(1) in told.tell(Wake(), 400)


TOLD = replace(RULES, tells=True)
FOLLOWING = replace(ALONE_LEADING, leads=False)


def test_where_programs_are_told_every_node_looks_at_the_switch_of_who_is_lost() -> None:
    told = Told(TOLD)
    told.tell(HAPPY)
    assert told.tell(FOLLOWING) == [Look(1)]
    assert told.tell(Looked(1, off=False), 0.1) == []
    assert told.tell(Wake(), 9.9) == []
    assert told.tell(Wake(), 0.1) == [Look(1)]
    assert told.tell(Looked(1, off=True), 0.1) == [IsOff(1)]
    assert told.core.wake_s is None
    assert told.tell(Wake(), 100) == []


def test_a_node_that_is_off_already_is_seen_to_be_before_the_delay_has_passed() -> None:
    told = Told(TOLD)
    told.tell(HAPPY)
    assert told.tell(ALONE_LEADING) == [Scheduled(1, told.now_s + 10), Look(1)]
    assert told.tell(Looked(1, off=True), 0.1) == [IsOff(1), Cancelled(1, "it is off")]
    assert told.core.history == []


def test_an_answer_that_is_taken_long_after_it_was_asked_for_is_of_the_past() -> None:
    """This node was frozen: the other may have lost its power and come back since."""
    told = Told(TOLD)
    told.tell(HAPPY)
    assert told.tell(FOLLOWING) == [Look(1)]
    assert told.tell(Looked(1, off=True), 31) == []
    assert told.tell(Wake(), 10) == [Look(1)]
    assert told.tell(Looked(1, off=True), 29) == [IsOff(1)]


@pytest.mark.parametrize("looking", [False, True])
def test_whoever_hears_that_a_node_was_fenced_looks_itself_at_once(looking: bool) -> None:
    told = Told(TOLD)
    told.tell(HAPPY)
    told.tell(FOLLOWING)
    if not looking:
        told.tell(Looked(1, off=False))
    heard = told.tell(Noted(Fencing(1, 3, told.now_s + 2, automatic=True, ok=True)), 3)
    # What a look that is under way says may be from before it.
    assert (heard or told.tell(Looked(1, off=False))) == [Look(1)]
    assert told.tell(Looked(1, off=None)) == []
    assert told.tell(Wake(), 10) == [Look(1)]
    assert told.tell(Looked(1, off=True)) == [IsOff(1)]


@pytest.mark.parametrize("outlook", [replace(FOLLOWING, quorate=False), HAPPY])
def test_without_quorum_or_while_it_is_a_member_nobody_looks(outlook: Outlook) -> None:
    told = Told(TOLD)
    told.tell(HAPPY)
    assert told.tell(outlook) == []
    assert told.core.wake_s is None


def test_whoever_has_just_begun_looks_at_who_is_absent_and_not_at_who_said_goodbye() -> None:
    assert Told(TOLD).tell(FOLLOWING) == [Look(1)]
    told = Told(TOLD)
    told.tell(HAPPY)
    told.tell(Goodbye(1))
    assert told.tell(FOLLOWING) == []


def test_a_node_that_is_given_its_power_by_hand_has_time_to_boot() -> None:
    told = Told(TOLD)
    told.tell(HAPPY)
    told.tell(ALONE_LEADING)
    told.tell(Looked(1, off=True))
    assert told.tell(Forgiven(1, told.now_s)) == [Look(1)]
    assert not told.core.is_off(1)
    told.tell(Looked(1, off=False))
    assert told.tell(Wake(), 60) == [Look(1)]
    told.tell(HAPPY)
    assert told.tell(ALONE_LEADING) == [Scheduled(1, told.now_s + 10)]
    assert told.tell(Looked(1, off=False)) == [Look(1)]  # that answer was of the time before it was back


@given(st.lists(st.tuples(st.sampled_from([1, 2]), st.floats(0, STAYED_S - 1)), max_size=60))
def test_two_nodes_cannot_fence_each_other_for_ever(turns: list[tuple[int, float]]) -> None:
    """Each time they see each other, and lose each other again: the one whose turn it is fences the other."""
    now_s, fenced = 0.0, 0
    rules = replace(RULES, delay_s=1)
    cores = {node: FencingCore(node, {1, 2}, rules, (), 0.0) for node in (1, 2)}
    both = Outlook(leads=False, quorate=True, members=frozenset({1, 2}))
    for winner, together_s in turns:
        loser = 3 - winner
        for core in cores.values():
            core.step(both, now_s)
        now_s += together_s
        alone = Outlook(leads=True, quorate=True, members=frozenset({winner}))
        cores[winner].step(alone, now_s)
        cores[loser].step(Outlook(leads=False, quorate=False, members=frozenset({loser})), now_s)
        now_s += 400.0
        actions = cores[winner].step(Wake(), now_s)
        if PowerOff(loser) in actions:
            fenced += 1
            cores[winner].step(Switched(loser), now_s)
            cores[loser] = FencingCore(loser, {1, 2}, rules, cores[loser].history, now_s)
    assert fenced <= 2 * LOOP_LIMIT


class Anything(RuleBasedStateMachine):
    """Three nodes conclude what they like about each other; what they note reaches everybody."""

    tells = False

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 10_000.0
        self.terms = replace(RULES, grace_s=20, min_delay_s=60, storm_limit=2, delay_s=5, tells=self.tells)
        self.cores = {node: FencingCore(node, ALL, self.terms, (), self.now_s) for node in ALL}
        self.standing = dict.fromkeys(ALL, Outlook(False, False, frozenset()))
        self.grace_until_s = dict.fromkeys(ALL, self.now_s + 20)
        self.fired: list[tuple[float, int, int]] = []

    def obey(self, by: int, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Tell(fencing):
                    for other in ALL - {by}:
                        self.cores[other].step(Noted(fencing), self.now_s)
                case PowerOff(node):
                    assert node != by
                    assert self.standing[by].quorate
                    assert self.now_s >= self.grace_until_s[by]
                    self.fired.append((self.now_s, by, node))
                case Look(node):
                    assert self.standing[by].quorate
                case IsOff(node):
                    assert node not in self.standing[by].members

    @rule(
        node=st.sampled_from([1, 2, 3]),
        leads=st.booleans(),
        quorate=st.booleans(),
        members=st.sets(st.sampled_from([1, 2, 3])),
    )
    def conclude(self, node: int, leads: bool, quorate: bool, members: set[int]) -> None:
        """The view of one node changes."""
        self.standing[node] = Outlook(leads, quorate, frozenset(members))
        self.obey(node, self.cores[node].step(self.standing[node], self.now_s))

    @rule(passed_s=st.sampled_from([0.5, 4.0, 5.0, 30.0, 61.0, 200.0, 301.0]))
    def time_passes(self, passed_s: float) -> None:
        """Everybody notices."""
        self.now_s += passed_s
        for node in ALL:
            self.obey(node, self.cores[node].step(Wake(), self.now_s))

    @rule(node=st.sampled_from([1, 2, 3]), error=st.sampled_from(["", "unreachable"]))
    def switch_answers(self, node: int, error: str) -> None:
        """A fencing that runs ends."""
        target = self.cores[node].running()
        if target is not None:
            self.obey(node, self.cores[node].step(Switched(target, error), self.now_s))

    @rule(node=st.sampled_from([1, 2, 3]), whom=st.sampled_from([1, 2, 3, None]))
    def services_wait(self, node: int, whom: int | None) -> None:
        """For somebody, or for nobody any more."""
        self.obey(node, self.cores[node].step(WaitsFor(whom), self.now_s))

    @rule(node=st.sampled_from([1, 2, 3]), whom=st.sampled_from([1, 2, 3]), off=st.sampled_from([True, False, None]))
    def look(self, node: int, whom: int, off: bool | None) -> None:
        """A switch tells what it knows."""
        self.obey(node, self.cores[node].step(Looked(whom, off), self.now_s))

    @rule(node=st.sampled_from([1, 2, 3]), whom=st.sampled_from([1, 2, 3, 4]))
    def person(self, node: int, whom: int) -> None:
        """Somebody types `stonith fence`."""
        actions = self.cores[node].fence(whom, self.now_s)
        if isinstance(actions, list):
            self.obey(node, actions)

    @rule(node=st.sampled_from([1, 2, 3]))
    def restart(self, node: int) -> None:
        """A daemon starts anew, with the history that it kept."""
        self.cores[node] = FencingCore(node, ALL, self.terms, self.cores[node].history, self.now_s)
        self.grace_until_s[node] = self.now_s + 20
        self.standing[node] = Outlook(False, False, frozenset())

    @invariant()
    def never_twice_within_the_minimum_delay(self) -> None:
        """Whoever did it."""
        for node in ALL:
            times = [at_s for at_s, _, target in self.fired if target == node]
            assert all(after - before >= 60 for before, after in pairwise(times))

    @invariant()
    def never_awake_for_nothing(self) -> None:
        """A time that has passed already would be asked for again and again."""
        for core in self.cores.values():
            core.step(Wake(), self.now_s)
            assert core.wake_s is None or core.wake_s > self.now_s

    @invariant()
    def never_a_storm(self) -> None:
        """Not in any window."""
        times = [at_s for at_s, _, _ in self.fired]
        assert all(after - before >= STORM_WINDOW_S for before, after in zip(times, times[2:], strict=False))


class AnythingTold(Anything):
    """The same where every node looks for proof."""

    tells = True


TestAnything = Anything.TestCase
TestAnything.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
TestAnythingTold = AnythingTold.TestCase
TestAnythingTold.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
