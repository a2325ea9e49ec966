"""How long the checks of consistency take, and how much memory, against the number of operations.

Every case runs in a process of its own, so that its peak of memory is its own.
"""

import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from harness.bench.figures import grid
from harness.bench.histories import MODELS, made_up
from harness.bench.objects import Judged
from harness.bench.objects import markdown as objects_markdown
from harness.bench.objects import run as run_objects
from harness.bench.plot import Series, plot
from harness.bench.reading import Reading, spread
from harness.bench.reading import markdown as reading_markdown
from harness.bench.reading import run as run_reading

METHOD = (
    "A history on one object is made up from a seed: processes in a closed loop, effects at random instants, one "
    "write in a hundred of unknown outcome; half of the operations are reads (sets and lists: 20 reads of everything). "
    "The wrong one differs in one answer. *Judged* is the time from arrays to the answer; *explained* is the time "
    "to the smallest sub-history that is still wrong, in words. Memory is the peak of the whole process. The general "
    "search decides the same register histories without knowing that written values are distinct; it has 5 s. "
    "Each time is the median of three runs of the same process, with the least and the greatest; a search runs once."
)
SIZES = (1_000, 10_000, 100_000, 1_000_000)
CONCURRENCIES = (5, 20, 100)
_SEARCH_WITHIN_S = 5.0
_SEARCHED_UP_TO = 10_000
_EXPLAINED_UP_TO = 100_000
SEED = 7
REPEATS = 3
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One measurement: ``search`` for the general search instead of the model's own algorithm."""

    model: str
    count: int
    concurrency: int
    wrong: bool
    search: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What was measured, in seconds, once for each repetition, and bytes of memory; ``answer`` is what was found."""

    case: Case
    answer: str
    judged_s: tuple[float, ...]
    memory_bytes: int
    explained_s: tuple[float, ...] = ()


def cases(sizes: Sequence[int]) -> list[Case]:
    """Every case, the quick ones first."""
    found = [
        Case(model=model, count=count, concurrency=20, wrong=wrong)
        for count in sizes
        for model in MODELS
        for wrong in (False, True)
    ]
    found += [
        Case(model=model, count=max(sizes), concurrency=concurrency, wrong=False)
        for model in MODELS
        for concurrency in CONCURRENCIES
        if concurrency != 20
    ]
    found += [
        Case(model="register", count=count, concurrency=concurrency, wrong=wrong, search=True)
        for count in sizes
        for concurrency in (5, 20)
        for wrong in (False, True)
        if count <= _SEARCHED_UP_TO
    ]
    return found


@dataclass(frozen=True, slots=True)
class Measured:
    """All that the page shows."""

    results: list[Result]
    others: list[Judged]
    readings: list[Reading]


def run(sizes: Sequence[int], say: Callable[[str], None]) -> Measured:
    """Measure every case, one after the other; then the models that are judged as a whole, and the reading of files."""
    results = []
    context = multiprocessing.get_context("spawn")
    for case in cases(sizes):
        say(f"{case.model}, {case.count} operations{', search' if case.search else ''}")
        with context.Pool(1) as pool:
            results.append(pool.apply(measure, (case,)))
    others = run_objects(sizes, REPEATS, SEED, say)
    return Measured(results, others, run_reading(sizes, REPEATS, SEED, say))


def measure(case: Case) -> Result:
    """Measure one case in this process."""
    # Imported here so that starting a benchmark of something else brings no numpy.
    from harness.checks.consistency.explain import explain
    from harness.checks.consistency.kinds import KINDS
    from harness.checks.consistency.linearizability import Answer, Judgement, judge
    from harness.checks.consistency.search import Limits, search, timed

    kind = KINDS[case.model]
    operations = made_up(case.model, case.count, case.concurrency, seed=SEED, wrong=case.wrong)
    if case.search:
        limits = Limits(within_s=_SEARCH_WITHIN_S)
        found, took_s = _timed(lambda: search(kind.model, timed(operations), limits, time.monotonic), 1)
        answer = {True: "right", False: "wrong", None: "not decided"}[found.linearizable]
        return Result(case=case, answer=answer, judged_s=took_s, memory_bytes=_peak_bytes())
    judgement: Judgement
    judgement, took_s = _timed(lambda: judge(kind, operations, Limits(), time.monotonic), REPEATS)
    wrong = judgement.of(Answer.WRONG)
    result = Result(case=case, answer="wrong" if wrong else "right", judged_s=took_s, memory_bytes=_peak_bytes())
    if wrong and case.count <= _EXPLAINED_UP_TO:
        _, explained_s = _timed(lambda: explain(kind, operations, wrong[0], time.monotonic, str), REPEATS)
        result = replace(result, explained_s=explained_s)
    return result


def _timed(work: Callable[[], Found], repeats: int) -> tuple[Found, tuple[float, ...]]:
    """What some work gave, and how long it took each time, in seconds."""
    took_s = []
    for _ in range(repeats):
        before_s = time.perf_counter()
        found = work()
        took_s.append(time.perf_counter() - before_s)
    return found, tuple(took_s)


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def markdown(measured: Measured, picture: str) -> str:
    """The section of the benchmark page; ``picture`` is the file of the plot."""
    lines = ["## Checks of consistency", "", METHOD, "", *_promised(measured.results), ""]
    lines += [f"![Time against operations]({picture})", ""]
    words = ("model", "algorithm", "history", "answer")
    header = ("model", "algorithm", "operations", "at a time", "history", "answer", "judged", "explained", "memory")
    lines += grid(header, [_row(one) for one in measured.results], frozenset(header) - frozenset(words))
    return "\n".join([*lines, "", objects_markdown(measured.others), reading_markdown(measured.readings)])


def _row(one: Result) -> tuple[str, ...]:
    case = one.case
    return (
        case.model, "search" if case.search else "own", f"{case.count:,}", str(case.concurrency),
        "wrong" if case.wrong else "right", one.answer, spread(one.judged_s),
        spread(one.explained_s) if one.explained_s else "", f"{one.memory_bytes / 2**20:.0f} MiB",
    )  # fmt: skip


def _promised(results: Sequence[Result]) -> list[str]:
    """The figures that matter most, of the largest histories at the usual concurrency, beside what was promised."""
    usual = [one for one in results if not one.case.search and one.case.concurrency == 20]
    took_s = {(one.case.model, one.case.count, one.case.wrong): statistics.median(one.judged_s) for one in usual}
    counts = sorted({one.case.count for one in usual})
    most, models = counts[-1], [model for model in ("register", "set", "queue") if (model, counts[-1], False) in took_s]
    lines = [f"| {most:,} operations | promised | {' | '.join(models)} |", f"| --- | --- |{' ---: |' * len(models)}"]
    rows: list[tuple[str, str, Callable[[str], str]]] = [
        ("judged", "10 s", lambda model: f"{took_s[model, most, False]:.2f} s"),
        ("memory", "1 GiB", lambda model: f"{_memory_bytes(usual, model, most) / 2**30:.2f} GiB"),
    ]
    if all((model, most, True) in took_s for model in models):
        rows.append(
            ("wrong : right", "2", lambda model: f"{took_s[model, most, True] / took_s[model, most, False]:.2f}")
        )
    if len(counts) > 1:
        before = counts[-2]
        name = f"against {before:,} operations"
        rows.append((name, "", lambda model: f"{took_s[model, most, False] / took_s[model, before, False]:.1f} times"))
    explained = {
        one.case.model: (one.case.count, statistics.median(one.explained_s)) for one in usual if one.explained_s
    }
    if all(model in explained for model in models):
        name = f"{explained[models[0]][0]:,} operations explained"
        rows.append((name, "30 s", lambda model: f"{explained[model][1]:.2f} s"))
    return lines + [f"| {name} | {limit} | {' | '.join(map(told, models))} |" for name, limit, told in rows]


def _memory_bytes(results: Sequence[Result], model: str, count: int) -> int:
    return max(one.memory_bytes for one in results if (one.case.model, one.case.count) == (model, count))


def write(measured: Measured, page: Path) -> None:
    """Write the page, and its plot beside it."""
    picture = page.with_suffix(".svg")
    picture.write_text(plot(_series(measured.results), "operations", "seconds"), encoding="utf-8")
    page.write_text(markdown(measured, picture.name), encoding="utf-8")


def _series(results: Sequence[Result]) -> list[Series]:
    found = []
    names = dict.fromkeys((one.case.model, one.case.search, one.case.wrong) for one in results)
    for model, search, wrong in names:
        points = tuple(
            (float(one.case.count), statistics.median(one.judged_s))
            for one in results
            if (one.case.model, one.case.search, one.case.wrong, one.case.concurrency) == (model, search, wrong, 20)
            and one.answer != "not decided"
        )
        label = f"{model}{', search' if search else ''}{', wrong' if wrong else ''}"
        found.append(Series(label, points, dashed=wrong))
    return found
