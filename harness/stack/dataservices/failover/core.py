"""When a store may be told that a node is dead, what for, and when all of that is undone. Pure.

A store that is told so of a node that lives may have two primaries: with the lease of a living, cut off PostgreSQL
leader revoked there were two for 1 to 4 s, with Patroni frozen over a living PostgreSQL for as long as it lasted. So
nothing is told, and nothing made to refuse, before there is proof that the *node* has no power. Without proof nothing
is quicker than the store's own time-outs.

A proof is of one incarnation of a node, the one that was reported dead: a proof that arrives after the node has come
back is of the past. Every action may be done again without harm; one that failed is asked for again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum


@dataclass(frozen=True, slots=True)
class Died:
    """The membership, which has quorum, lost the node: it may be dead, frozen or cut off."""

    node: str
    incarnation: int


@dataclass(frozen=True, slots=True)
class Fenced:
    """There is proof from outside that this incarnation of the node has no power."""

    node: str
    incarnation: int


@dataclass(frozen=True, slots=True)
class Returned:
    """The membership has the node again. A node that had no power comes back with a higher incarnation."""

    node: str
    incarnation: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether this host is in the majority, and whether it is the one that acts for all."""

    quorate: bool
    leads: bool


@dataclass(frozen=True, slots=True)
class AskFence:
    """Take this incarnation's power away, and prove it."""

    node: str
    incarnation: int


@dataclass(frozen=True, slots=True)
class Refuse:
    """On this host: have the node's addresses refuse at once, and end the connections to them."""

    node: str


@dataclass(frozen=True, slots=True)
class Allow:
    """On this host: undo Refuse."""

    node: str


@dataclass(frozen=True, slots=True)
class TakeOver:
    """Tell the stores: revoke the leader's lease, have the Sentinels choose, point the others at who was chosen."""

    node: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """The node was proven to have no power, and is there as if it always had been: the proof is worth nothing."""

    node: str


Action = AskFence | Refuse | Allow | TakeOver | Alarm


@dataclass(frozen=True, slots=True)
class Done:
    """An action took effect."""

    action: Action


@dataclass(frozen=True, slots=True)
class Failed:
    """An action did not take effect, or nobody knows."""

    action: Action


Signal = Died | Fenced | Returned | Standing | Done | Failed


class Phase(Enum):
    """Of one node."""

    WELL = "well"
    LOST = "lost"
    FENCED = "fenced"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one node."""

    phase: Phase = Phase.WELL
    incarnation: int = 0
    refused: bool = False
    """It was, or may have been, made to refuse here, and that is not undone yet."""
    taken_over: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """All there is to remember."""

    standing: Standing = Standing(quorate=False, leads=False)
    nodes: Mapping[str, Known] = field(default_factory=dict)

    def of(self, node: str) -> Known:
        """What is known of a node; one that nobody spoke of is well."""
        return self.nodes.get(node, Known())

    def knowing(self, node: str, known: Known) -> "State":
        """With this of the node."""
        return replace(self, nodes={**self.nodes, node: known})


def step(state: State, signal: Signal) -> tuple[State, tuple[Action, ...]]:
    """What follows from one signal."""
    match signal:
        case Standing():
            state = replace(state, standing=signal)
            return state, tuple(action for node in sorted(state.nodes) for action in _pending(state, node))
        case Died(node, incarnation):
            return _died(state, node, incarnation)
        case Fenced(node, incarnation):
            return _fenced(state, node, incarnation)
        case Returned(node, incarnation):
            return _returned(state, node, incarnation)
        case Done(action):
            return _done(state, action), ()
        case Failed(action):
            return state, tuple(_again(state, action))


def _died(state: State, node: str, incarnation: int) -> tuple[State, tuple[Action, ...]]:
    known = state.of(node)
    if incarnation < known.incarnation or (known.phase is not Phase.WELL and incarnation == known.incarnation):
        return state, ()  # of an earlier life, or said twice
    state = state.knowing(node, replace(known, phase=Phase.LOST, incarnation=incarnation, taken_over=False))
    return state, tuple(_pending(state, node))


def _fenced(state: State, node: str, incarnation: int) -> tuple[State, tuple[Action, ...]]:
    known = state.of(node)
    if known.phase is not Phase.LOST or incarnation != known.incarnation:
        return state, ()
    state = state.knowing(node, replace(known, phase=Phase.FENCED, refused=True))
    return state, (Refuse(node), *_pending(state, node))


def _returned(state: State, node: str, incarnation: int) -> tuple[State, tuple[Action, ...]]:
    known = state.of(node)
    if incarnation < known.incarnation:
        return state, ()
    doubtful = known.phase is Phase.FENCED and incarnation == known.incarnation
    actions: list[Action] = [Alarm(node)] if doubtful else []
    if known.refused:
        actions.append(Allow(node))
    return state.knowing(node, replace(known, phase=Phase.WELL, incarnation=incarnation, taken_over=False)), (*actions,)


def _done(state: State, action: Action) -> State:
    known = state.of(action.node)
    match action:
        case TakeOver() if known.phase is Phase.FENCED:
            return state.knowing(action.node, replace(known, taken_over=True))
        case Allow() if known.phase is not Phase.FENCED:
            return state.knowing(action.node, replace(known, refused=False))
    return state


def _pending(state: State, node: str) -> Iterable[Action]:
    """What the one who acts for all has to do of a node, as long as it has not been done."""
    known = state.of(node)
    if not (state.standing.quorate and state.standing.leads):
        return
    if known.phase is Phase.LOST:
        yield AskFence(node, known.incarnation)
    if known.phase is Phase.FENCED and not known.taken_over:
        yield TakeOver(node)


def _again(state: State, action: Action) -> Iterable[Action]:
    """What failed is asked for again, if it still is what has to be done."""
    known = state.of(action.node)
    match action:
        case Refuse() if known.phase is Phase.FENCED:
            yield action
        case Allow() if known.phase is not Phase.FENCED and known.refused:
            yield action
        case AskFence() | TakeOver() if action in _pending(state, action.node):
            yield action
