"""How long a large recorded history takes to read, and how much memory reading and judging it take.

The file is written by one process and read by another, so that the peak of memory is the reader's own.
"""

import itertools
import json
import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from harness.bench.figures import grid
from harness.bench.histories import MODELS, made_up
from harness.checks.consistency.operations import Operations
from harness.checks.verdict import Verdict
from harness.events import Expectation, Json
from harness.history import encode
from harness.operations import Operation
from harness.reading.side_by_side import processes_for

METHOD = (
    "The same register history at concurrency 20 as what others recorded (a line when an operation begins, one when it "
    "ends; judged as `harness judge FILE --model register` does) and as a run of the harness, judged as `harness judge "
    "RUN` does: all that the run expects and all that every run is judged by. The wrong one differs in one answer. "
    "*Read* is the time from the file to flat columns, line by line, by a process per processor where the file is "
    "large: no operation is kept as an object, and the file is never held as a whole; *judged* is the time to the "
    "verdict, of a wrong one with what explains it. *Processor* is what both took of all processors, and *wrong : "
    "right* compares that. Other models are read as JSON. Memory is the peak of the process that judges and, for each "
    "that reads for it, that of the largest of them: all together never had more."
)
OURS = "a run"
SOURCES = ("jepsen-log", "edn", "jsonl", OURS)
FILES = (*((source, "register") for source in SOURCES), *(("jsonl", model) for model in MODELS if model != "register"))
"""What is written and read: the source and the model of each."""
_JUDGED_AS = {"list": "append"}
"""What `harness judge` calls a model."""
_CONCURRENCY = 20
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was measured of one file, in seconds and bytes, once for each repetition."""

    source: str
    wrong: bool
    count: int
    file_bytes: int
    read_s: tuple[float, ...]
    judged_s: tuple[float, ...]
    cpu_s: tuple[float, ...]
    """Of the processor, for both: what else the machine does changes it least."""
    memory_bytes: int
    model: str = "register"


def write_history(
    path: Path, count: int, seed: int, source: str = "jsonl", *, wrong: bool = False, model: str = "register"
) -> None:
    """A history of ``count`` operations on one object as others write it, in the order of time."""
    with path.open("w", encoding="utf-8") as file:
        for one, begins in _in_time(count, seed, wrong=wrong, model=model):
            answers = one.function in ("read", "dequeue") and not begins
            file.write(_LINES[source](one, "invoke" if begins else "ok", one.result if answers else one.argument))


def _as_log(one: Operation, kind: str, value: Json) -> str:
    return f"INFO  jepsen.util - {one.process}\t:{kind}\t:{one.function}\t{'nil' if value is None else value}\n"


def _as_edn(one: Operation, kind: str, value: Json) -> str:
    told = "nil" if value is None else value
    return f"{{:process {one.process}, :type :{kind}, :f :{one.function}, :value {told}, :time {one.number}}}\n"


def _as_json(one: Operation, kind: str, value: Json) -> str:
    told: dict[str, Json] = {"process": one.process, "type": kind, "f": one.function, "key": "x", "value": value}
    return json.dumps(told) + "\n"


_LINES: dict[str, Callable[[Operation, str, Json], str]] = {"jepsen-log": _as_log, "edn": _as_edn, "jsonl": _as_json}


def write_run(
    path: Path, count: int, seed: int, source: str = OURS, *, wrong: bool = False, model: str = "register"
) -> None:
    """The same as the history of a run that expects a linearizable register."""
    expected = Expectation(t_s=0.0, check="linearizable_register", arguments={"key": "x"})
    with path.open("wb") as file:
        file.write(encode(expected))
        for one, begins in _in_time(count, seed, wrong=wrong, model=model):
            file.write(encode(one.events[0 if begins else -1]))


def _in_time(count: int, seed: int, *, wrong: bool, model: str = "register") -> Iterator[tuple[Operation, bool]]:
    """Each operation when it begins, and again when it ends."""
    made = made_up(model, count, _CONCURRENCY, seed=seed, wrong=wrong)
    moments = sorted(
        [(float(at_s), row, True) for row, at_s in enumerate(made.invoked_s)]
        + [(float(at_s), row, False) for row, at_s in enumerate(made.completed_s) if at_s != float("inf")]
    )
    for _, row, begins in moments:
        yield made.row(row), begins


def measure_reading(
    path: Path, count: int, repeats: int, source: str = "jsonl", *, wrong: bool = False, model: str = "register"
) -> Reading:
    """Read and judge what others recorded, several times in this process."""
    from harness.checks.consistency import by_model
    from harness.checks.consistency.operations import built
    from harness.checks.consistency.search import Limits
    from harness.reading.side_by_side import read_columns

    def judged(operations: Operations) -> bool:
        question = by_model.Question(operations=operations, at=lambda line: f"line {line:.0f}", limits=Limits())
        verdicts = by_model.MODELS[_JUDGED_AS.get(model, model)](question)
        # The first says whether it is linearizable; whether a queue delivers cannot be told before it is drained.
        return len(operations) == count and _answer(verdicts[:1]) == _WANTED[wrong]

    def read() -> Operations:
        return built(read_columns(path, source))

    return _measure(path, (read, judged), source=source, wrong=wrong, count=count, repeats=repeats, model=model)


def measure_run(
    path: Path, count: int, repeats: int, source: str = OURS, *, wrong: bool = False, model: str = "register"
) -> Reading:
    """Read and judge a run, several times in this process."""
    from harness.history import History
    from harness.judge import judge
    from harness.reading.side_by_side import read_history

    def judged(history: History) -> bool:
        mine = [one for one in judge(history) if one.check == "linearizable_register"]
        return len(history.operations) == count and _answer(mine) == _WANTED[wrong]

    return _measure(
        path,
        (lambda: read_history(path), judged),
        source=source,
        wrong=wrong,
        count=count,
        repeats=repeats,
        model=model,
    )


_KINDS = {False: "right", True: "wrong"}
_WANTED = {False: "HOLDS", True: "VIOLATED"}


def _answer(verdicts: Sequence[Verdict]) -> str:
    return verdicts[0].outcome.name if len(verdicts) == 1 else f"{len(verdicts)} verdicts"


def _measure(
    path: Path,
    work: tuple[Callable[[], Found], Callable[[Found], bool]],
    *,
    source: str,
    wrong: bool,
    count: int,
    repeats: int,
    model: str,
) -> Reading:
    read, judged = work
    read_s, judged_s, cpu_s = [], [], []
    readers_bytes = 0
    for repetition in range(repeats):
        began_cpu_s = _processor_s()
        began_s = time.perf_counter()
        found = read()
        read_s.append(time.perf_counter() - began_s)
        began_s = time.perf_counter()
        right = judged(found)
        judged_s.append(time.perf_counter() - began_s)
        cpu_s.append(_processor_s() - began_cpu_s)
        if repetition == 0:  # later their peaks begin with what this process had when it started them (getrusage(2))
            readers_bytes = _readers_bytes(processes_for(path))
        if not right:
            raise AssertionError(f"a {_KINDS[wrong]} history of {count} operations was not read or judged as one")
        del found
    return Reading(
        source=source,
        wrong=wrong,
        count=count,
        file_bytes=path.stat().st_size,
        read_s=tuple(read_s),
        judged_s=tuple(judged_s),
        cpu_s=tuple(cpu_s),
        model=model,
        memory_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 + readers_bytes,
    )


def _processor_s() -> float:
    """What this process and those that it waited for have used of the processor."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def _readers_bytes(processes: int) -> int:
    """What the processes that read for this one had, each taken for as large as the largest of them."""
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    return largest * processes if processes > 1 else 0


def run(sizes: Sequence[int], repeats: int, seed: int, say: Callable[[str], None]) -> list[Reading]:
    """Measure a file of each size."""
    context = multiprocessing.get_context("spawn")
    found = []
    with TemporaryDirectory() as directory:
        path = Path(directory) / "history.jsonl"
        for size, (source, model), wrong in itertools.product(sizes, FILES, (False, True)):
            write, measure = (write_run, measure_run) if source == OURS else (write_history, measure_reading)
            options = {"wrong": wrong, "model": model}
            say(f"reading {size:,} operations: {model}, {source}, {_KINDS[wrong]}")
            with context.Pool(1) as pool:
                pool.apply(write, (path, size, seed, source), options)
            with context.Pool(1) as pool:
                found.append(pool.apply(measure, (path, size, repeats, source), options))
    return found


def markdown(readings: Sequence[Reading]) -> str:
    """The table of the benchmark page."""
    words = ("model", "recorded as", "history")
    header = (*words, "operations", "file", "read", "judged", "processor", "wrong : right", "memory")
    right = {(one.model, one.source, one.count): statistics.median(one.cpu_s) for one in readings if not one.wrong}
    rows = []
    for one in readings:
        cpu_s = statistics.median(one.cpu_s)
        ratio = f"{cpu_s / right[one.model, one.source, one.count]:.2f}" if one.wrong else ""
        kind, file = _KINDS[one.wrong], f"{one.file_bytes / 2**20:.1f} MiB"
        times = spread(one.read_s), spread(one.judged_s), f"{cpu_s:.3f} s"
        memory = f"{one.memory_bytes / 2**20:.0f} MiB"
        rows.append((one.model, one.source, kind, f"{one.count:,}", file, *times, ratio, memory))
    return "\n".join(["### Reading", "", METHOD, "", *grid(header, rows, header[len(words) :]), ""])


def spread(seconds: Sequence[float]) -> str:
    """Median, and the least and greatest if there are several."""
    middle = f"{statistics.median(seconds):.3f} s"
    return middle if len(seconds) == 1 else f"{middle} ({min(seconds):.3f} to {max(seconds):.3f})"
