"""From what the algorithms found to verdicts: the outcome, a sentence, and the operations that prove it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from harness.checks.consistency.explain import Explanation, explain
from harness.checks.consistency.kinds import KINDS, Kind, by_key, told
from harness.checks.consistency.linearizability import Answer, Judgement, judge
from harness.checks.consistency.operations import Operations
from harness.checks.consistency.reasons import about, line
from harness.checks.consistency.search import Limits
from harness.checks.verdict import Finding, Verdict, holds, unknown, violated
from harness.clock import now_s
from harness.operations import OUTCOMES, Operation

At = Callable[[float], str]
MAX_EXPLAINED = 5
"""So many keys are explained; the others are counted."""
MAX_LINES = 12
"""So many operations of an explanation are written out."""
MAX_EVENTS = 100
"""So many operations are evidence; of more, increments are only counted."""


@dataclass(frozen=True, slots=True)
class Case:
    """What a check is about to judge: its name, the operations, and how to say an instant.

    Of what is not ``whole`` the end is missing: what is not there yet may still have come.
    """

    check: str
    operations: Operations
    at: At
    whole: bool = True


def finding(text: str, operations: Sequence[Operation]) -> Finding:
    """Evidence from operations: from the first call to the last return."""
    times = [t_s for one in operations for t_s in (one.invoked_s, one.completed_s) if t_s is not None]
    return Finding(
        text=text,
        from_s=min(times, default=None),
        until_s=max(times, default=None),
        nodes=tuple(sorted({one.node for one in operations if one.node})),
        events=tuple(event for one in operations for event in one.events),
    )


def strangers(case: Case, functions: Sequence[str]) -> Verdict | None:
    """UNKNOWN when there is something among the operations that the check does not know, or nothing at all."""
    if not len(case.operations):
        return unknown(case.check, "no operation was invoked")
    others = sorted(case.operations.functions() - set(functions))
    if others:
        wanted = ", ".join(functions)
        return unknown(case.check, f"this check knows {wanted}; the history has {', '.join(others)}: name a key")
    return None


def counted(operations: Operations) -> str:
    """How many operations there are, and how they ended."""
    ended = np.bincount(operations.outcome, minlength=len(OUTCOMES))
    parts = [f"{count} {name}" for name, count in zip(OUTCOMES, ended.tolist(), strict=True) if count]
    return f"{len(operations)} operations ({', '.join(parts)})"


def linearizable(case: Case, model: str, limits: Limits) -> Verdict:
    """Whether the operations on each key are linearizable."""
    kind = KINDS[model]
    strange = strangers(case, kind.model.functions)
    if strange is not None:
        return strange
    if not told(case.operations):
        return unknown(case.check, f"{counted(case.operations)}, and none of them says what was there")
    judgement = judge(kind, case.operations, limits, now_s)
    return _verdict(case, kind, judgement)


def _verdict(case: Case, kind: Kind, judgement: Judgement) -> Verdict:
    wrong, undecided = judgement.of(Answer.WRONG), judgement.of(Answer.UNDECIDED)
    over = f"{counted(case.operations)} on {judgement.keys} {'keys' if judgement.keys > 1 else 'key'}"
    evidence: list[Finding] = []
    for answer in wrong[:MAX_EXPLAINED]:
        evidence += told_by(explain(kind, case.operations, answer, now_s, case.at), case.at)
    evidence += [
        Finding(
            text=about(one.key, f"{len(one.rows)} operations not decided: the search reached its limit, {one.limit}")
        )
        for one in undecided
    ]
    if wrong:
        names = ", ".join(one.key for one in wrong[:MAX_EXPLAINED] if one.key)
        keys = f" on {len(wrong)} of them ({names})" if names else ""
        return violated(case.check, f"{over}: not linearizable{keys}", evidence)
    if undecided:
        return unknown(case.check, f"{len(undecided)} of {judgement.keys} keys could not be decided; {over}", evidence)
    return holds(case.check, f"linearizable: {over}")


def told_by(explanation: Explanation, at: At) -> list[Finding]:
    """An explanation as findings: why, then each operation."""
    operations = explanation.operations
    many = len(operations) > MAX_EVENTS
    telling = [one for one in operations if not many or one.function != "increment"][:MAX_EVENTS]
    by = " and by ".join(explanation.verified_by)
    found = [finding(f"{explanation.text} ({len(operations)} operations suffice; verified by {by})", telling)]
    found += [finding(about(explanation.key, line(one, at)), [one]) for one in telling[:MAX_LINES]]
    if len(telling) > MAX_LINES or many:
        found.append(
            Finding(
                text=about(explanation.key, f"and {len(operations) - min(len(telling), MAX_LINES)} more operations")
            )
        )
    return found


def each_key(operations: Operations) -> list[tuple[str, Operations]]:
    """The operations of each key."""
    return [(operations.names[operations.key[rows[0]]], operations.take(rows)) for rows in by_key(operations)]
