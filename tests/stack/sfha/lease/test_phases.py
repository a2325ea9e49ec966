"""The table of phases and the core, walked against each other: what happens is a row, and every row happens."""

from collections import Counter, deque
from collections.abc import Iterator
from random import Random

import pytest

from harness.stack.sfha.lease import core as lease
from harness.stack.sfha.lease import phases
from harness.stack.sfha.lease.core import GateCall, GateDone, LeaseCore, Terms
from harness.stack.sfha.lease.phases import TRANSITIONS, OutOfTurn, Phase, Turn

ROWS = [(phase, turn, to) for phase, row in TRANSITIONS.items() for turn, to in row.items()]
WRONG = [(phase, turn, to) for phase, turn, right in ROWS for to in Phase if to is not right]
LIVES = 120


class Walk:
    """One core among two voters, with a kernel that answers in order, sometimes refuses, and now and then takes time.

    Which phase it is in is also told from outside, by nothing but what the kernel was asked and what it answered.
    """

    def __init__(self, seed: int) -> None:
        self.random = random = Random(seed)
        terms = Terms(0.15, 0.31, 0.04, needs_votes=random.random() < 0.8, released_on_loss=random.random() < 0.8)
        votes = random.choice(({1: 1, 2: 1, 3: 1}, {1: 1}, {1: 3, 2: 1, 3: 1}))
        self.core = LeaseCore(1, votes, terms, incarnation=7, now_s=0.0)
        self.now_s = random.choice((0.0, 0.4))
        self.calls: deque[GateCall] = deque()
        self.seen = Phase.OUT
        self.holds = False
        self.reached: Counter[tuple[Phase, Phase]] = Counter()

    def live(self, steps: int = 250) -> None:
        """Let things happen; fails as soon as the core is not where the kernel says that it is."""
        for _ in range(steps):
            self.now_s += self.random.choice((0.0, 0.0, 0.001, 0.010, 0.040, 0.050, 0.200))
            before = self.core.phase
            for action in self.something():
                self.follow(action)
            assert self.core.phase is self.seen
            assert self.holds is (self.seen is Phase.HOLDING)
            self.reached[before, self.core.phase] += 1

    def something(self) -> list[lease.Action]:
        """Anything that a daemon may tell its lease. While the kernel is at work that is its answer, or a loss."""
        if self.calls and self.random.random() < 0.8:
            return self.answered(self.calls.popleft(), ok=self.random.random() < 0.9)
        lost = lease.Leadership(self.random.choice((2, None)), self.random.random() < 0.7, frozenset({1, 2, 3}))
        happens = self.random.random()
        if happens < 0.05:
            return self.core.give_up("stopping", self.now_s)
        if happens < 0.15 or self.calls:
            return self.core.step(lost, self.now_s)
        if happens < 0.30:
            leads = lease.Leadership(1, self.random.random() < 0.9, frozenset({1, 2, 3}))
            return self.core.step(leads, self.now_s)
        if happens < 0.65:
            return self.core.step(lease.Wake(), self.now_s)
        return self.core.step(lease.Received(2, self.a_message()), self.now_s)

    def a_message(self) -> lease.Message:
        number = max(1, self.core.number - self.random.choice((0, 0, 0, 1)))
        if self.random.random() < 0.8:
            return lease.Vote(7, number, granted=self.random.random() < 0.9, wait_s=self.random.choice((0.0, 0.05)))
        return self.random.choice((lease.Request(3, number), lease.Release(3, number)))

    def answered(self, call: GateCall, *, ok: bool) -> list[lease.Action]:
        if self.seen is not Phase.OUT and call is not GateCall.CLOSE:
            done = {GateCall.ARM: Phase.ASKING, GateCall.OPEN: Phase.HOLDING, GateCall.RENEW: Phase.HOLDING}
            self.seen = done[call] if ok else Phase.OUT
        return self.core.step(GateDone(call, ok), self.now_s)

    def follow(self, action: lease.Action) -> None:
        match action:
            case GateCall():
                self.calls.append(action)
                if action in (GateCall.ARM, GateCall.CLOSE):
                    self.seen = Phase.ARMING if action is GateCall.ARM else Phase.OUT
            case lease.Held():
                assert not self.holds
                self.holds = True
            case lease.Lost():
                assert self.holds
                self.holds = False


def lives() -> Iterator[Walk]:
    for seed in range(LIVES):
        walk = Walk(seed)
        walk.live()
        yield walk


def goes_wrong() -> bool:
    try:
        for _ in lives():
            pass
    except (AssertionError, OutOfTurn):
        return True
    return False


def test_every_step_of_the_core_is_a_row_and_every_row_is_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: set[tuple[Phase, Turn]] = set()
    turned = phases.after

    def noted(phase: Phase, turn: Turn) -> Phase:
        taken.add((phase, turn))
        return turned(phase, turn)

    monkeypatch.setattr(lease, "after", noted)
    steps: Counter[tuple[Phase, Phase]] = Counter()
    for walk in lives():
        steps += walk.reached
    assert taken == {(phase, turn) for phase, turn, _ in ROWS}
    assert {(before, after) for before, after in steps if before is not after} == {
        (before, after) for before, _, after in ROWS if before is not after
    }


def test_every_phase_and_every_turn_has_its_place() -> None:
    assert set(TRANSITIONS) == set(Phase)
    assert {turn for _, turn, _ in ROWS} == set(Turn)


@pytest.mark.parametrize(("phase", "turn", "to"), WRONG, ids=lambda part: part.value)
def test_a_row_that_leads_elsewhere_is_noticed(
    phase: Phase, turn: Turn, to: Phase, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = {**TRANSITIONS, phase: {**TRANSITIONS[phase], turn: to}}
    monkeypatch.setattr(phases, "TRANSITIONS", wrong)
    assert goes_wrong()


@pytest.mark.parametrize(("phase", "turn"), [row[:2] for row in ROWS], ids=lambda part: part.value)
def test_a_row_that_is_left_out_is_noticed(phase: Phase, turn: Turn, monkeypatch: pytest.MonkeyPatch) -> None:
    left = {one: to for one, to in TRANSITIONS[phase].items() if one is not turn}
    monkeypatch.setattr(phases, "TRANSITIONS", {**TRANSITIONS, phase: left})
    assert goes_wrong()


def test_what_cannot_have_happened_is_refused() -> None:
    core = LeaseCore(1, {1: 1}, Terms(0.15, 0.31, 0.04), incarnation=7, now_s=0.0)
    core.step(lease.Leadership(1, True, frozenset({1})), 1.0)
    with pytest.raises(OutOfTurn, match="a lease that is arming cannot be opened"):
        core.step(GateDone(GateCall.OPEN, True), 1.0)
