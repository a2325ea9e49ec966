"""How long a large recorded history takes to read, and how much memory reading and judging it take.

The file is written by one process and read by another, so that the peak of memory is the reader's own.
"""

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
from harness.bench.histories import made_up
from harness.checks.consistency.operations import Operations
from harness.events import Expectation, Json
from harness.history import encode
from harness.operations import Operation

METHOD = (
    "The same register history at concurrency 20 as what others recorded (JSON, a line when an operation begins, one "
    "when it ends) and as a run of the harness, judged as `harness judge RUN` does: all that the run expects and all "
    "that every run is judged by. *Read* is the time from the file to flat columns, line by line: no operation is kept "
    "as an object, and the file is never held as a whole; *judged* is the time from there to the answer. Memory is "
    "the peak of the whole process."
)
_CONCURRENCY = 20
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was measured of one file, in seconds and bytes, once for each repetition."""

    source: str
    count: int
    file_bytes: int
    read_s: tuple[float, ...]
    judged_s: tuple[float, ...]
    memory_bytes: int


def write_history(path: Path, count: int, seed: int) -> None:
    """A right history of ``count`` operations on a register as a file of JSON lines, in the order of time."""
    with path.open("w", encoding="utf-8") as file:
        for one, begins in _in_time(count, seed):
            told: dict[str, Json] = {"process": one.process, "type": "invoke" if begins else "ok"}
            answers = one.function == "read" and not begins
            told |= {"f": one.function, "key": "x", "value": one.result if answers else one.argument}
            file.write(json.dumps(told) + "\n")


def write_run(path: Path, count: int, seed: int) -> None:
    """The same as the history of a run that expects a linearizable register."""
    expected = Expectation(t_s=0.0, check="linearizable_register", arguments={"key": "x"})
    with path.open("wb") as file:
        file.write(encode(expected))
        for one, begins in _in_time(count, seed):
            file.write(encode(one.events[0 if begins else -1]))


def _in_time(count: int, seed: int) -> Iterator[tuple[Operation, bool]]:
    """Each operation when it begins, and again when it ends."""
    made = made_up("register", count, _CONCURRENCY, seed=seed, wrong=False)
    moments = sorted(
        [(float(at_s), row, True) for row, at_s in enumerate(made.invoked_s)]
        + [(float(at_s), row, False) for row, at_s in enumerate(made.completed_s) if at_s != float("inf")]
    )
    for _, row, begins in moments:
        yield made.row(row), begins


def measure_reading(path: Path, count: int, repeats: int) -> Reading:
    """Read and judge what others recorded, several times in this process."""
    from harness.checks.consistency.kinds import KINDS
    from harness.checks.consistency.linearizability import judge
    from harness.checks.consistency.operations import operations_from
    from harness.checks.consistency.search import Limits
    from harness.formats.formats import read_operations

    def judged(operations: Operations) -> bool:
        return len(operations) == count and not judge(KINDS["register"], operations, Limits(), time.monotonic).answers

    def read() -> Operations:
        return operations_from(read_operations(path, "jsonl"))

    return _measure("recorded by others", path, count, (read, judged), repeats)


def measure_run(path: Path, count: int, repeats: int) -> Reading:
    """Read and judge a run, several times in this process."""
    from harness.history import History
    from harness.judge import judge

    def judged(history: History) -> bool:
        return any(f" {count} operations" in one.summary and one.outcome.name == "HOLDS" for one in judge(history))

    return _measure("a run", path, count, (lambda: History.read(path), judged), repeats)


def _measure(
    source: str, path: Path, count: int, work: tuple[Callable[[], Found], Callable[[Found], bool]], repeats: int
) -> Reading:
    read, judged = work
    read_s, judged_s = [], []
    for _ in range(repeats):
        began_s = time.perf_counter()
        found = read()
        read_s.append(time.perf_counter() - began_s)
        began_s = time.perf_counter()
        right = judged(found)
        judged_s.append(time.perf_counter() - began_s)
        if not right:
            raise AssertionError(f"a right history of {count} operations was not read or judged as one")
        del found
    return Reading(
        source=source,
        count=count,
        file_bytes=path.stat().st_size,
        read_s=tuple(read_s),
        judged_s=tuple(judged_s),
        memory_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    )


def run(sizes: Sequence[int], repeats: int, seed: int, say: Callable[[str], None]) -> list[Reading]:
    """Measure a file of each size."""
    context = multiprocessing.get_context("spawn")
    found = []
    with TemporaryDirectory() as directory:
        path = Path(directory) / "history.jsonl"
        for size in sizes:
            for write, measure in ((write_history, measure_reading), (write_run, measure_run)):
                say(f"reading {size} operations")
                with context.Pool(1) as pool:
                    pool.apply(write, (path, size, seed))
                with context.Pool(1) as pool:
                    found.append(pool.apply(measure, (path, size, repeats)))
    return found


def markdown(readings: Sequence[Reading]) -> str:
    """The table of the benchmark page."""
    header = ("history", "operations", "file", "read", "judged", "memory")
    rows = [
        (
            one.source, f"{one.count:,}", f"{one.file_bytes / 2**20:.1f} MiB", spread(one.read_s),
            spread(one.judged_s), f"{one.memory_bytes / 2**20:.0f} MiB",
        )
        for one in readings
    ]  # fmt: skip
    return "\n".join(["### Reading", "", METHOD, "", *grid(header, rows, header[1:]), ""])


def spread(seconds: Sequence[float]) -> str:
    """Median, and the least and greatest if there are several."""
    middle = f"{statistics.median(seconds):.3f} s"
    return middle if len(seconds) == 1 else f"{middle} ({min(seconds):.3f} to {max(seconds):.3f})"
