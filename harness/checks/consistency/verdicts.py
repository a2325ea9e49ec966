"""From what the algorithms found to verdicts: the outcome, a sentence, and the operations that prove it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from harness.checks.consistency.explain import Explanation, bare, explain
from harness.checks.consistency.kinds import KINDS, Kind, by_key, told
from harness.checks.consistency.linearizability import Answer, Judgement, KeyAnswer, judge
from harness.checks.consistency.operations import NEVER, Operations
from harness.checks.consistency.reasons import about, line, short
from harness.checks.consistency.search import Limits
from harness.checks.consistency.shapes import misfit
from harness.checks.verdict import Finding, Verdict, holds, unknown, violated
from harness.clock import now_s
from harness.operations import FAILED, NONE, OK, OUTCOMES, Operation, hashable

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
    tell: Callable[[str], None] = lambda _: None
    """Is told a verdict as soon as it is known, when what explains it takes a while longer."""
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
        first = case.at(float(case.operations.invoked_s[np.flatnonzero(case.operations.is_(*others))[0]]))
        told = f"this check knows {wanted}; the history has {', '.join(others)}: name a key"
        return unknown(case.check, f"{first}: {told}, or another model{_hint(others)}")
    return None


def _hint(others: Sequence[str]) -> str:
    """Which model knows what this one does not."""
    models = {"txn": "rw, append or multi-register", "acquire": "lock", "transfer": "bank", "enqueue": "queue"}
    known = [f" ({models[one]} for {one})" for one in others if one in models]
    return known[0] if known else ""


def unfit(case: Case, model: str, functions: Sequence[str]) -> Verdict | None:
    """UNKNOWN when there is a function that the check does not know, or a value that the model cannot have."""
    strange = strangers(case, functions)
    if strange is not None:
        return strange
    wrong = misfit(case.operations, model, case.at)
    return unknown(case.check, f"not understood: {wrong}") if wrong else None


def counted(operations: Operations) -> str:
    """How many operations there are, and how they ended."""
    ended = np.bincount(operations.outcome, minlength=len(OUTCOMES))
    parts = [f"{count} {name}" for name, count in zip(OUTCOMES, ended.tolist(), strict=True) if count]
    return f"{len(operations)} operations ({', '.join(parts)})"


def linearizable(case: Case, model: str, limits: Limits, initial: Any = None) -> Verdict:
    """Whether the operations on each key are linearizable. ``initial`` None: they begin empty.

    Raises UsageError when the model cannot begin with that.
    """
    kind = KINDS[model] if initial is None else KINDS[model].beginning_with(initial)
    strange = unfit(case, model, kind.model.functions)
    if strange is not None:
        return strange
    case = replace(case, operations=kind.seen(case.operations))
    if not told(case.operations):
        return unknown(case.check, f"{counted(case.operations)}, and none of them says what was there")
    judgement = judge(kind, case.operations, limits, now_s)
    return _verdict(case, kind, judgement, limits)


def _verdict(case: Case, kind: Kind, judgement: Judgement, limits: Limits) -> Verdict:
    wrong, undecided = judgement.of(Answer.WRONG), judgement.of(Answer.UNDECIDED)
    over = f"{counted(case.operations)} on {judgement.keys} {'keys' if judgement.keys > 1 else 'key'}"
    evidence = _explained(case, kind, wrong, over, limits)
    evidence += [
        Finding(
            text=about(one.key, f"{len(one.rows)} operations not decided: the search reached its limit, {one.limit}")
        )
        for one in undecided
    ]
    if wrong:
        return violated(case.check, _ruling(wrong, over), evidence)
    if undecided:
        return unknown(case.check, f"{len(undecided)} of {judgement.keys} keys could not be decided; {over}", evidence)
    return holds(case.check, f"linearizable: {over}")


def _ruling(wrong: Sequence[KeyAnswer], over: str) -> str:
    names = ", ".join(short(one.key) for one in wrong[:MAX_EXPLAINED] if one.key)
    return f"{over}: not linearizable{f' on {len(wrong)} of them ({names})' if names else ''}"


def _explained(case: Case, kind: Kind, wrong: Sequence[KeyAnswer], over: str, limits: Limits) -> list[Finding]:
    """What explains the first wrong keys. The verdict is known already: nothing that goes wrong here changes it."""
    if not wrong:
        return []
    case.tell(f"VIOLATED {case.check}: {_ruling(wrong, over)}; explaining it for at most {limits.explain_s:g} s ...")
    evidence: list[Finding] = []
    until_s = now_s() + limits.explain_s
    chosen = wrong[:MAX_EXPLAINED]
    for number, answer in enumerate(chosen):
        share_s = max(0.0, until_s - now_s()) / (len(chosen) - number)
        try:
            told = explain(kind, case.operations, answer, now_s, case.at, within_s=share_s)
        except Exception as error:
            told = bare(kind, case.operations, answer, case.at)
            evidence.append(Finding(text=about(answer.key, f"explaining it failed: {error!r}")))
        evidence += told_by(told, case.at)
        evidence += _perhaps_at_first(kind, case.operations.take(answer.rows), answer.key)
    return evidence


def _perhaps_at_first(kind: Kind, operations: Operations, key: str) -> list[Finding]:
    """How to say what an object held at first, where that may be all that is wrong: nobody wrote what was read."""
    if kind.name not in ("register", "kv", "counter") or kind.model.initial != KINDS[kind.name].model.initial:
        return []
    looked = operations.is_(*kind.model.reads) & (operations.outcome == OK) & (operations.result != NONE)
    sure = ~operations.is_(*kind.model.reads) & (operations.outcome == OK)
    early = looked & (operations.call < (operations.ret[sure].min() if np.any(sure) else NEVER))
    given = [hashable(kind.model.initial), *(() if kind.name == "counter" else _given(operations))]
    for row in np.flatnonzero(early).tolist():
        value = operations.result_of(row)
        if hashable(value) not in given:
            told = f"if {_as_asked(value)} was there at first, say so: --initial {_as_asked(value)}"
            return [Finding(text=about(key, told))]
    return []


def _given(operations: Operations) -> set[object]:
    writes = ~operations.is_("read", "get") & (operations.outcome != FAILED)
    return {hashable(operations.values.decode(code)) for code in np.unique(operations.argument[writes]).tolist()}


def _as_asked(value: object) -> str:
    """A value as it is given on the command line."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        return str(value)


def told_by(explanation: Explanation, at: At) -> list[Finding]:
    """An explanation as findings: why, then each operation."""
    operations = explanation.operations
    many = len(operations) > MAX_EVENTS
    telling = [one for one in operations if not many or one.function != "increment"][:MAX_EVENTS]
    by = " and by ".join(explanation.verified_by)
    proof = f"{len(operations)} operations suffice; verified by {by}" if by else "no smaller history was looked for"
    cut = "; fewer may, but the time to explain was over" if by and explanation.cut_short else ""
    found = [finding(f"{explanation.text} ({proof}{cut})", telling)]
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
