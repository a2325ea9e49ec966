"""Large histories of the models that are judged as a whole, and how long their verdicts take.

As in :mod:`harness.bench.histories`: processes in a closed loop, effects at random instants, everything from one
seed. A wrong one has one answer that cannot be, in the middle.
"""

import multiprocessing
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from msgspec.structs import replace

from harness.bench.figures import grid
from harness.bench.histories import closed_loop, made_up
from harness.bench.reading import spread
from harness.checks.consistency.operations import Operations, operations_from
from harness.checks.verdict import Outcome, Verdict
from harness.operations import Operation

METHOD = (
    "Models whose verdict is one piece: *judged* is the time from arrays to the verdict with what proves it, at a "
    "concurrency of 20. A transaction reads two objects and writes half of what it read, and is strictly "
    "serializable; the bank has ten accounts; a text is got 20 times; 20 processes hold a lock in turn."
)
_CONCURRENCY = 20
_ACCOUNTS, _IN_ACCOUNT = 10, 100
_OBJECTS_LAST = 200
"""So many transactions use one pair of objects before others take their places."""
_WHOLE_READS = 20
_MOST = 10_000
MODELS = ("kv", "lock", "bank", "sessions", "list transactions", "register transactions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One measurement: seconds for each repetition, and bytes."""

    model: str
    count: int
    wrong: bool
    answer: str
    judged_s: tuple[float, ...]
    memory_bytes: int


Do = Callable[[int, np.random.Generator], tuple[str, Any, Any]]
"""What the n-th operation asks and answers: function, argument, result."""


def _bank() -> Do:
    held = {f"a{number}": _IN_ACCOUNT for number in range(_ACCOUNTS)}

    def do(_: int, random: np.random.Generator) -> tuple[str, Any, Any]:
        if random.random() < 0.5:
            return "read", None, dict(held)
        giver, taker = (f"a{number}" for number in random.choice(_ACCOUNTS, 2, replace=False))
        amount = min(held[giver], int(random.integers(1, 5)))
        held[giver] -= amount
        held[taker] += amount
        return "transfer", {"from": giver, "to": taker, "amount": amount}, None

    return do


def _transactions(*, lists: bool) -> Do:
    held: dict[str, Any] = {}

    def do(number: int, random: np.random.Generator) -> tuple[str, Any, Any]:
        first = 2 * (number // _OBJECTS_LAST)
        steps: list[tuple[str, str, Any]] = []
        for which in range(2):
            key = f"k{first + which}"
            before: Any = held.get(key, () if lists else None)
            steps.append(("r", key, before))
            if random.random() < 0.5:
                value = 2 * number + which
                held[key] = (*before, value) if lists else value
                steps.append(("append" if lists else "w", key, value))
        asked = [(function, key, None if function == "r" else value) for function, key, value in steps]
        return "txn", asked, steps

    return do


def _text(count: int) -> Do:
    held: list[str] = []

    def do(number: int, _: np.random.Generator) -> tuple[str, Any, Any]:
        if (number + 1) % max(1, count // _WHOLE_READS) == 0:
            return "get", None, "".join(held)
        held.append(f"<{number}>")
        return "append", held[-1], None

    return do


def _simulated(do: Do, count: int, seed: int) -> list[Operation]:
    """Operations in the order of their effects; all are acknowledged."""
    random = np.random.default_rng(seed)
    times = closed_loop(random, count, _CONCURRENCY)
    found = []
    for number, row in enumerate(np.argsort(times.effect_s, kind="stable").tolist()):
        function, argument, result = do(number, random)
        found.append(
            Operation(
                process=int(times.process[row]),
                function=function,
                key="x",
                argument=argument,
                result=result,
                invoked_s=float(times.invoked_s[row]),
                completed_s=float(times.completed_s[row]),
                number=number,
            )
        )
    return found


def _locks(count: int, *, wrong: bool) -> list[Operation]:
    """Each process in turn acquires and releases; in a wrong history one is granted before it was released."""
    found = []
    for number in range(count):
        began_s = number + (-2.2 if wrong and number == count // 2 // 2 * 2 else 0.0)
        found.append(
            Operation(
                process=number // 2 % _CONCURRENCY,
                function="release" if number % 2 else "acquire",
                key="x",
                invoked_s=began_s,
                completed_s=began_s + 0.5,
                number=number,
            )
        )
    return found


def _wrong_in_the_middle(rows: list[Operation]) -> list[Operation]:
    """One answer is replaced by one of long before, or by one that balances nothing."""
    answers = [place for place, one in enumerate(rows) if one.result is not None]
    late = answers[len(answers) // 2]
    one = rows[late]
    if isinstance(one.result, dict):
        spoilt: Any = {**one.result, "a0": one.result["a0"] + 1}
    elif isinstance(one.result, str):
        spoilt = one.result[: one.result.index("<", len(one.result) // 2)]
    else:
        late, spoilt = _stale(rows, answers)
    return [*rows[:late], replace(rows[late], result=spoilt), *rows[late + 1 :]]


def _stale(rows: list[Operation], answers: list[int]) -> tuple[int, Any]:
    """A transaction in the second half that saw something, and what it would have seen before all others."""
    for late in answers[len(answers) // 2 :]:
        steps = rows[late].result
        for place, (function, key, value) in enumerate(steps):
            if function == "r" and value:
                return late, [
                    *steps[:place],
                    (function, key, () if isinstance(value, tuple) else None),
                    *steps[place + 1 :],
                ]
    raise AssertionError("no transaction saw anything")


def _going_back(rows: list[Operation]) -> list[Operation]:
    """The process of the middle reads last what it had read first, and something else in between."""
    process = rows[len(rows) // 2].process
    reads = [place for place, one in enumerate(rows) if one.process == process and one.function == "read"]
    first, late = rows[reads[0]].result, reads[-1]
    if len({rows[place].result for place in reads[:-1]}) < 2:
        raise AssertionError("the process of the middle saw nothing change")
    return [*rows[:late], replace(rows[late], result=first), *rows[late + 1 :]]


def history(model: str, count: int, *, seed: int, wrong: bool) -> Operations:
    """A history of ``count`` operations of a model."""
    if model == "sessions":
        made = made_up("register", count, _CONCURRENCY, seed=seed, wrong=False)
        return operations_from(_going_back(made.rows())) if wrong else made
    if model == "lock":
        return operations_from(_locks(count, wrong=wrong))
    do = {
        "kv": _text(count),
        "bank": _bank(),
        "list transactions": _transactions(lists=True),
        "register transactions": _transactions(lists=False),
    }[model]
    rows = _simulated(do, count, seed)
    return operations_from(_wrong_in_the_middle(rows) if wrong else rows)


def _verdict_of(model: str) -> Callable[[Operations], Verdict]:
    """How a model is judged."""
    # Imported here: what these bring would count as memory of everything else that is measured.
    from harness.checks.consistency.accounts import balanced_bank, kept_sessions
    from harness.checks.consistency.isolation import isolated
    from harness.checks.consistency.search import Limits
    from harness.checks.consistency.sessions import GUARANTEES
    from harness.checks.consistency.verdicts import Case, linearizable

    def judged(operations: Operations) -> Verdict:
        case, limits = Case(model, operations, str), Limits()
        if model == "bank":
            return balanced_bank(case, total=_ACCOUNTS * _IN_ACCOUNT, negative_allowed=False)
        if model == "sessions":
            return kept_sessions(case, GUARANTEES)
        if model.endswith("transactions"):
            return isolated(case, lists=model.startswith("list"), level="strict-serializable", limits=limits)
        return linearizable(case, model, limits)

    return judged


def measure(model: str, count: int, wrong: bool, repeats: int, seed: int) -> Judged:
    """Judge one history several times in this process."""
    operations, judged = history(model, count, seed=seed, wrong=wrong), _verdict_of(model)
    took_s, verdict = [], None
    for _ in range(repeats):
        before_s = time.perf_counter()
        verdict = judged(operations)
        took_s.append(time.perf_counter() - before_s)
    answers = {Outcome.HOLDS: "right", Outcome.VIOLATED: "wrong", Outcome.UNKNOWN: "not decided"}
    return Judged(
        model=model,
        count=count,
        wrong=wrong,
        answer=answers[verdict.outcome] if verdict else "",
        judged_s=tuple(took_s),
        memory_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    )


def run(sizes: Sequence[int], repeats: int, seed: int, say: Callable[[str], None]) -> list[Judged]:
    """Measure every model at every size, each in a process of its own."""
    context = multiprocessing.get_context("spawn")
    found = []
    for size in [size for size in sizes if size <= _MOST]:
        for model in MODELS:
            for wrong in (False, True):
                say(f"{model}, {size} operations")
                with context.Pool(1) as pool:
                    found.append(pool.apply(measure, (model, size, wrong, repeats, seed)))
    return found


def markdown(judged: Sequence[Judged]) -> str:
    """The table of the benchmark page."""
    header = ("model", "operations", "history", "answer", "judged", "memory")
    rows = [
        (
            one.model, f"{one.count:,}", "wrong" if one.wrong else "right", one.answer, spread(one.judged_s),
            f"{one.memory_bytes / 2**20:.0f} MiB",
        )
        for one in judged
    ]  # fmt: skip
    table = grid(header, rows, ("operations", "judged", "memory"))
    return "\n".join(["### Other models", "", METHOD, "", *table, ""])
