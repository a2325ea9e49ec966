"""Why no order of the operations works: in words, with the smallest sub-history that shows it.

What is shown is checked twice: by the algorithm that found the fault, and, where that is quick, by the search.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.checks.consistency.kinds import Kind
from harness.checks.consistency.linearizability import STUCK, KeyAnswer
from harness.checks.consistency.operations import NEVER, Operations, operations_from
from harness.checks.consistency.reasons import about, reason
from harness.checks.consistency.search import Limits, Timed, search, timed
from harness.checks.consistency.shrink import related, shrink
from harness.operations import Operation

SMALL = 40
"""A sub-history of at most so many operations is put before the search as well."""
_PROOF = Limits(within_s=5.0, choices=200_000)
_TRY = Limits(within_s=2.0, choices=50_000)
_WINDOW = 8


@dataclass(frozen=True, slots=True)
class Explanation:
    """Operations that no order explains, in the order of their calls, and why.

    ``verified_by`` names what found this very sub-history to be wrong.
    ``any_start`` says that it is wrong whatever the object held before.
    """

    key: str
    rule: str
    text: str
    operations: tuple[Operation, ...]
    verified_by: tuple[str, ...]
    any_start: bool = False


def explain(
    kind: Kind, operations: Operations, answer: KeyAnswer, now_s: Callable[[], float], at: Callable[[float], str]
) -> Explanation:
    """Explain what is wrong with one key. ``at`` says an instant as the reader wants it."""
    conflict = answer.conflict
    assert conflict is not None
    if conflict.rule == STUCK:
        return _explain_stuck(kind, operations, answer, now_s, at)
    one = operations.take(answer.rows)
    rows = one.rows()
    core = [operations.row(row) for row in conflict.rows if row >= 0]
    about = [operations.values.decode(value) for value in conflict.values]

    def wrong(candidate: Sequence[Operation]) -> bool:
        return bool(candidate) and bool(kind.quick(operations_from(candidate)))

    candidate = related(kind.name, rows, core, about)
    smallest = shrink(kind.name, candidate if wrong(candidate) else rows, wrong)
    shown = operations_from(smallest)
    found = kind.quick(shown)
    assert found
    verified = ["its own algorithm"]
    if len(shown) <= SMALL and search(kind.model, timed(shown), _PROOF, now_s).linearizable is False:
        verified.append("search of every order")
    text = reason(kind.name, shown, found[0], at)
    return Explanation(answer.key, found[0].rule, text, tuple(shown.rows()), tuple(verified))


def _explain_stuck(
    kind: Kind, operations: Operations, answer: KeyAnswer, now_s: Callable[[], float], at: Callable[[float], str]
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
    while states and back < len(returns):
        window = _since(known, returns[-back - 1], stuck_ret)
        if search(kind.model, window, _TRY, now_s, initial=states).linearizable is False:
            shown, anywhere = window, True
            break
        back *= 2
    start = states if anywhere else [kind.model.initial]
    shown = _fewest(kind, shown, start, now_s)
    stuck = operations.row(conflict.rows[0])
    held = "whatever it held before" if anywhere else "beginning empty"
    text = (
        f"when the {stuck.function} by process {stuck.process} returned at {at(stuck.completed_s or 0.0)}, no order of "
        f"these {len(shown)} operations explains all of their answers, {held}"
    )
    rows = tuple(one.operation for one in sorted(shown, key=lambda one: one.call))
    return Explanation(answer.key, STUCK, about(answer.key, text), rows, ("search of every order",), anywhere)


def _states(kind: Kind, operations: Sequence[Timed]) -> list[object]:
    """Every state that a register can be in; of other objects there are too many."""
    if kind.name != "register":
        return []
    return list(
        dict.fromkeys([None, *(one.operation.argument for one in operations if one.operation.function != "read")])
    )


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


def _fewest(
    kind: Kind, operations: Sequence[Timed], start: Sequence[object], now_s: Callable[[], float]
) -> list[Timed]:
    """Without every read, and every write nobody saw, that is not needed."""
    current = list(operations)
    deadline_s = now_s() + 5.0
    for one in sorted(operations, key=lambda one: -one.call):
        if now_s() > deadline_s:
            break
        without = [other for other in current if other is not one]
        made = one.operation.argument
        seen = [
            other.operation.result if other.operation.function == "read" else other.operation.expected
            for other in without
            if other.operation.function in ("read", "cas")
        ]
        removable = one.operation.function == "read" or (kind.name == "register" and made not in seen)
        if removable and search(kind.model, without, _TRY, now_s, initial=start).linearizable is False:
            current = without
    return current
