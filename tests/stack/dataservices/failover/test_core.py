"""Nothing is told to a store without proof, and nothing stays when the node is back, in any order of signals."""

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from harness.stack.dataservices.failover import core
from harness.stack.dataservices.failover.core import (
    Action,
    Alarm,
    Allow,
    AskFence,
    Died,
    Done,
    Failed,
    Fenced,
    Phase,
    Refuse,
    Returned,
    Signal,
    Standing,
    State,
    TakeOver,
    step,
)

ACTS, WATCHES, ALONE = Standing(True, True), Standing(True, False), Standing(False, True)


def told(*signals: Signal) -> list[Action]:
    """The actions that follow from the last of them."""
    state, actions = State(), tuple[Action, ...]()
    for signal in signals:
        state, actions = step(state, signal)
    return list(actions)


def test_a_lost_node_is_fenced_first() -> None:
    assert told(ACTS, Died("a", 1)) == [AskFence("a", 1)]
    assert told(ACTS, Died("a", 1), Fenced("a", 1)) == [Refuse("a"), TakeOver("a")]


@pytest.mark.parametrize("standing", [WATCHES, ALONE])
def test_only_the_one_who_acts_for_all_asks_and_tells(standing: Standing) -> None:
    assert told(standing, Died("a", 1)) == []
    assert told(standing, Died("a", 1), Fenced("a", 1)) == [Refuse("a")]


def test_whoever_acts_from_now_on_does_what_is_still_to_be_done() -> None:
    assert told(WATCHES, Died("a", 1), ACTS) == [AskFence("a", 1)]
    fenced = (WATCHES, Died("a", 1), Fenced("a", 1))
    assert told(*fenced, ACTS) == [TakeOver("a")]
    assert told(ACTS, Died("a", 1), Fenced("a", 1), Done(TakeOver("a")), WATCHES, ACTS) == []


def test_a_proof_of_an_earlier_life_is_none() -> None:
    assert told(ACTS, Died("a", 1), Returned("a", 2), Fenced("a", 1)) == []
    assert told(ACTS, Died("a", 1), Returned("a", 2), Died("a", 2), Fenced("a", 1)) == []
    assert told(ACTS, Fenced("a", 1)) == []


def test_all_is_undone_when_the_node_is_back() -> None:
    assert told(ACTS, Died("a", 1), Fenced("a", 1), Returned("a", 2)) == [Allow("a")]
    assert told(ACTS, Died("a", 1), Returned("a", 1)) == []


def test_who_comes_back_from_the_dead_unchanged_raises_an_alarm() -> None:
    assert told(ACTS, Died("a", 1), Fenced("a", 1), Returned("a", 1)) == [Alarm("a"), Allow("a")]


def test_what_failed_is_asked_for_again_while_it_is_needed() -> None:
    fenced = (ACTS, Died("a", 1), Fenced("a", 1))
    assert told(*fenced, Failed(TakeOver("a"))) == [TakeOver("a")]
    assert told(*fenced, Failed(Refuse("a"))) == [Refuse("a")]
    assert told(*fenced, Returned("a", 2), Failed(TakeOver("a"))) == []
    assert told(*fenced, Returned("a", 2), Failed(Allow("a"))) == [Allow("a")]
    assert told(*fenced, Returned("a", 2), Done(Allow("a")), Failed(Allow("a"))) == []


NODES = st.sampled_from(["a", "b"])


class Cluster(RuleBasedStateMachine):
    """Nodes that lose and get power, a membership that may be wrong, proofs and answers that may be late."""

    def __init__(self) -> None:
        super().__init__()
        self.state = State()
        self.powered = dict.fromkeys("ab", True)
        self.life = dict.fromkeys("ab", 1)
        self.lost = dict.fromkeys("ab", False)
        self.proofs: list[Fenced] = []
        self.under_way: list[Action] = []
        self.refusing: set[str] = set()

    def tell(self, signal: Signal) -> None:
        """Give a signal, and look at what is asked for."""
        self.state, actions = step(self.state, signal)
        for action in actions:
            if isinstance(action, TakeOver | Refuse):
                assert not self.powered[action.node], f"{action} of a node that lives"
            if isinstance(action, TakeOver | AskFence):
                assert self.state.standing == ACTS, f"{action} by one who does not act for all"
            assert not isinstance(action, Alarm), "every proof here is true"
        self.under_way += actions

    @rule(standing=st.builds(Standing, st.booleans(), st.booleans()))
    def stands(self, standing: Standing) -> None:
        self.tell(standing)

    @rule(node=NODES)
    def loses_power(self, node: str) -> None:
        self.powered[node] = False

    @rule(node=NODES)
    def is_lost(self, node: str) -> None:
        """Rightly or not."""
        if not self.lost[node]:
            self.lost[node] = True
            self.tell(Died(node, self.life[node]))

    @rule(node=NODES)
    def is_back(self, node: str) -> None:
        if self.lost[node]:
            if not self.powered[node]:
                self.powered[node] = True
                self.life[node] += 1
            elif self.state.of(node).phase is Phase.FENCED:
                return  # what was proven to be without power has none
            self.lost[node] = False
            self.tell(Returned(node, self.life[node]))

    @rule(node=NODES)
    def is_proven(self, node: str) -> None:
        if not self.powered[node]:
            self.proofs.append(Fenced(node, self.life[node]))

    @precondition(lambda self: self.proofs)
    @rule(data=st.data())
    def proof_arrives(self, data: st.DataObject) -> None:
        self.tell(self.proofs.pop(data.draw(st.integers(0, len(self.proofs) - 1))))

    @precondition(lambda self: self.under_way)
    @rule(succeeds=st.booleans())
    def action_ends(self, succeeds: bool) -> None:
        """In the order in which they were asked for, as a port does them."""
        action = self.under_way.pop(0)
        if succeeds:
            self.effect(action)
        self.tell(Done(action) if succeeds else Failed(action))

    def effect(self, action: Action) -> None:
        """On the world."""
        match action:
            case Refuse(node):
                self.refusing.add(node)
            case Allow(node):
                self.refusing.discard(node)
            case AskFence(node, incarnation):
                if self.life[node] == incarnation:
                    self.powered[node] = False

    @invariant()
    def nothing_stays(self) -> None:
        if not self.under_way:
            for node in self.refusing:
                assert self.state.of(node).phase is Phase.FENCED, f"{node} refuses, and nobody will undo it"


TestCluster = Cluster.TestCase


def _acts_without_proof(state: State, node: str, incarnation: int) -> tuple[State, tuple[Action, ...]]:
    return core._fenced(state.knowing(node, core.Known(Phase.LOST, incarnation)), node, incarnation)


def _takes_any_proof(state: State, node: str, incarnation: int) -> tuple[State, tuple[Action, ...]]:
    del incarnation
    known = state.of(node)
    state = state.knowing(node, replace(known, phase=Phase.FENCED, refused=True))
    return state, (Refuse(node), *core._pending(state, node))


def _forgets_to_undo(state: State, node: str, incarnation: int) -> tuple[State, tuple[Action, ...]]:
    return state.knowing(node, core.Known(Phase.WELL, incarnation)), ()


@pytest.mark.parametrize(
    ("rule_of", "broken"),
    [("_died", _acts_without_proof), ("_fenced", _takes_any_proof), ("_returned", _forgets_to_undo)],
)
def test_a_broken_rule_is_noticed(rule_of: str, broken: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core, rule_of, broken)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(
            Cluster, settings=settings(derandomize=True, max_examples=300, database=None, report_multiple_bugs=False)
        )
