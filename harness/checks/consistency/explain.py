"""Why no order of the operations works: in words, with the smallest sub-history that shows it.

What is shown is checked twice: by the algorithm that found the fault, and, where that is quick, by the search. The
verdict is known before any of this, so it has a time of its own: when that is over, what was found so far is shown, and
that it may not be the smallest is said.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.checks.consistency.conflict import Conflict
from harness.checks.consistency.kinds import Kind
from harness.checks.consistency.linearizability import STUCK, KeyAnswer
from harness.checks.consistency.operations import NEVER, Ints, Operations, operations_from
from harness.checks.consistency.reasons import about, reason
from harness.checks.consistency.search import Limits, Timed, search, timed
from harness.checks.consistency.shrink import related, shrink
from harness.operations import FAILED, OK, UNKNOWN, Operation, hashable

WITHIN_S = 5.0
"""So long a verdict is explained, all its keys together."""
SMALL = 40
"""A sub-history of at most so many operations is put before the search as well."""
LARGE = 300_000
"""More operations and items of lists than that are not made into objects to look for the smallest part."""
_PROOF = Limits(within_s=5.0, choices=200_000)
_TRY = Limits(within_s=2.0, choices=50_000)
_WINDOW = 8
_ROUNDS = 50


@dataclass(frozen=True, slots=True)
class Explanation:
    """Operations that no order explains, in the order of their calls, and why.

    ``verified_by`` names what found this very sub-history to be wrong; nothing did if it was not looked for.
    ``any_start`` says that it is wrong whatever the object held before, ``cut_short`` that time was over.
    """

    key: str
    rule: str
    text: str
    operations: tuple[Operation, ...]
    verified_by: tuple[str, ...]
    any_start: bool = False
    cut_short: bool = False


@dataclass(frozen=True, slots=True)
class _Time:
    """How long an explanation may still take."""

    now_s: Callable[[], float]
    until_s: float

    def over(self) -> bool:
        return self.now_s() > self.until_s

    def left(self, limits: Limits) -> Limits:
        return replace(limits, within_s=max(0.0, min(limits.within_s, self.until_s - self.now_s())))


def explain(
    kind: Kind,
    operations: Operations,
    answer: KeyAnswer,
    now_s: Callable[[], float],
    at: Callable[[float], str],
    *,
    within_s: float = WITHIN_S,
) -> Explanation:
    """Explain what is wrong with one key. ``at`` says an instant as the reader wants it."""
    conflict = answer.conflict
    assert conflict is not None
    operations = kind.seen(operations)
    time = _Time(now_s, now_s() + within_s)
    if conflict.rule == STUCK:
        return _explain_stuck(kind, operations, answer, time, at)
    candidate = _candidate(kind, operations, answer, conflict, time)
    if candidate is None:
        return bare(kind, operations, answer, at)

    def wrong(candidate: Sequence[Operation]) -> bool:
        return bool(candidate) and bool(kind.quick(operations_from(candidate)))

    smallest = shrink(kind.name, candidate, wrong, enough=time.over)
    cut_short = time.over()
    shown = operations_from(smallest)
    found = kind.quick(shown)
    assert found
    verified = ["its own algorithm"]
    if len(shown) <= SMALL and search(kind.model, timed(shown), time.left(_PROOF), now_s).linearizable is False:
        verified.append("search of every order")
    text = reason(kind.name, kind.seen(shown), found[0], at)
    return Explanation(answer.key, found[0].rule, text, tuple(shown.rows()), tuple(verified), cut_short=cut_short)


def bare(kind: Kind, operations: Operations, answer: KeyAnswer, at: Callable[[float], str]) -> Explanation:
    """Only the rule that is broken, and the operations that it names, which need not be wrong by themselves."""
    conflict = answer.conflict
    assert conflict is not None
    rows = tuple(operations.row(row) for row in sorted(set(conflict.rows)) if row >= 0)
    if conflict.rule == STUCK:
        told = about(answer.key, f"no order of what was called by then gets past the {rows[0].function} shown")
    else:
        told = reason(kind.name, operations, conflict, at)
    return Explanation(answer.key, conflict.rule, told, rows, (), cut_short=True)


def _candidate(
    kind: Kind, operations: Operations, answer: KeyAnswer, conflict: Conflict, time: _Time
) -> list[Operation] | None:
    """What belongs to a conflict, if that is wrong by itself, else all of its key; None if that is too much."""
    rows = answer.rows
    core = [operations.row(row) for row in conflict.rows if row >= 0]
    values = [operations.values.decode(value) for value in conflict.values]
    size = len(rows) + int((operations.item_end[rows] - operations.item_start[rows]).sum())
    if size > LARGE:
        rows = _near(kind, operations, rows, conflict, time)
        if not len(rows) or len(rows) > LARGE or not kind.quick(operations.take(rows)):
            return None
    everything = operations.take(rows).rows()
    candidate = related(kind.name, everything, core, values)
    return candidate if candidate and kind.quick(operations_from(candidate)) else everything


def _near(kind: Kind, operations: Operations, rows: Ints, conflict: Conflict, time: _Time) -> Ints:
    """Of very many operations those that share a value with the conflict, over as many steps as it takes."""
    if kind.name not in ("register", "queue"):
        return rows[:0]
    one = operations.take(rows)
    gives = one.is_("write", "cas", "delete", "enqueue") & (one.outcome != FAILED)
    sees = one.is_("read", "dequeue") & (one.outcome == OK)
    blind = one.is_("dequeue", "drain") & (one.outcome == UNKNOWN)
    chosen = np.isin(rows, [row for row in conflict.rows if row >= 0]) | blind
    values = np.array(conflict.values, dtype=np.int64)
    for _ in range(_ROUNDS):
        shown = [one.argument[chosen & gives], one.result[chosen & sees], one.expected[chosen & one.is_("cas")]]
        values = np.unique(np.concatenate([values, *shown]))
        more = chosen | (gives & np.isin(one.argument, values))
        if kind.name == "queue":
            more |= sees & np.isin(one.result, values)
        if time.over() or np.array_equal(more, chosen):
            break
        chosen = more
    return np.asarray(rows[chosen], dtype=np.int64)


def _explain_stuck(
    kind: Kind, operations: Operations, answer: KeyAnswer, time: _Time, at: Callable[[float], str]
) -> Explanation:
    """The operations right before the return that no order gets past, as few as are wrong from whatever state."""
    assert answer.conflict is not None
    conflict = answer.conflict
    everything = timed(operations.take(answer.rows))
    stuck_ret = int(operations.ret[conflict.rows[0]])
    known = [one for one in everything if one.call < stuck_ret]
    returns = sorted(one.ret for one in known if one.ret <= stuck_ret)
    states = _states(kind, everything)
    back = _WINDOW
    shown, anywhere = known, False
    while states and back < len(returns) and not time.over():
        window = _since(known, returns[-back - 1], stuck_ret)
        if search(kind.model, window, time.left(_TRY), time.now_s, initial=states).linearizable is False:
            shown, anywhere = window, True
            break
        back *= 2
    start = states if anywhere else [kind.model.initial]
    shown = _fewest(kind, shown, start, time)
    stuck = operations.row(conflict.rows[0])
    held = "whatever it held before" if anywhere else "from the beginning on"
    text = (
        f"when the {stuck.function} by process {stuck.process} returned at {at(stuck.completed_s or 0.0)}, no order of "
        f"these {len(shown)} operations explains all of their answers, {held}"
    )
    rows = tuple(one.operation for one in sorted(shown, key=lambda one: one.call))
    verified = ("search of every order",)
    return Explanation(answer.key, STUCK, about(answer.key, text), rows, verified, anywhere, time.over())


def _states(kind: Kind, operations: Sequence[Timed]) -> list[object]:
    """Every state that a register or a mutex can be in; of other objects there are too many."""
    if kind.name == "mutex":
        return [False, True]
    if kind.name != "register":
        return []
    written = [hashable(one.operation.argument) for one in operations if one.operation.function != "read"]
    return list(dict.fromkeys([kind.model.initial, *written]))


def _since(operations: Sequence[Timed], start: int, end: int) -> list[Timed]:
    """What matters after an instant: those that were under way then may have had their effect, or may yet."""
    found = []
    for one in operations:
        if one.ret <= start:
            continue
        if one.call < start or one.ret > end:
            if one.operation.function != "read":
                found.append(Timed(one.row, one.call, NEVER, one.operation))
        else:
            found.append(one)
    return found


def _fewest(kind: Kind, operations: Sequence[Timed], start: Sequence[object], time: _Time) -> list[Timed]:
    """Without every read, and every write nobody saw, that is not needed."""
    current = list(operations)
    for one in sorted(operations, key=lambda one: -one.call):
        if time.over():
            break
        without = [other for other in current if other is not one]
        made = one.operation.argument
        seen = [
            other.operation.result if other.operation.function == "read" else other.operation.expected
            for other in without
            if other.operation.function in ("read", "cas")
        ]
        removable = one.operation.function == "read" or (kind.name == "register" and made not in seen)
        if removable and search(kind.model, without, time.left(_TRY), time.now_s, initial=start).linearizable is False:
            current = without
    return current
