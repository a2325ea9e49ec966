"""How long a large recorded history takes to read, and how much memory reading and judging it take.

The file is written by one process and read by another, so that the peak of memory is the reader's own.
"""

import json
import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.bench.histories import made_up
from harness.events import Json

METHOD = (
    "The same register history at concurrency 20 as a file of JSON, a line when an operation begins and one when it "
    "ends. *Read* is the time from the file to arrays, line by line: no operation is kept as an object, and the file "
    "is never held as a whole; *judged* is the time from there to the answer. Memory is the peak of the whole process."
)
_CONCURRENCY = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was measured of one file, in seconds and bytes, once for each repetition."""

    count: int
    file_bytes: int
    read_s: tuple[float, ...]
    judged_s: tuple[float, ...]
    memory_bytes: int


def write_history(path: Path, count: int, seed: int) -> None:
    """A right history of ``count`` operations on a register as a file of JSON lines, in the order of time."""
    made = made_up("register", count, _CONCURRENCY, seed=seed, wrong=False)
    moments = sorted(
        [(float(at_s), row, True) for row, at_s in enumerate(made.invoked_s)]
        + [(float(at_s), row, False) for row, at_s in enumerate(made.completed_s) if at_s != float("inf")]
    )
    reads = made.is_("read")
    with path.open("w", encoding="utf-8") as file:
        for _, row, begins in moments:
            code = made.result[row] if reads[row] else made.argument[row]
            value = None if begins and reads[row] else made.values.decode(int(code))
            told: dict[str, Json] = {"process": int(made.process[row]), "type": "invoke" if begins else "ok"}
            told |= {"f": "read" if reads[row] else "write", "key": "x", "value": value}
            file.write(json.dumps(told) + "\n")


def measure_reading(path: Path, count: int, repeats: int) -> Reading:
    """Read and judge a file several times in this process."""
    from harness.checks.consistency.kinds import KINDS
    from harness.checks.consistency.linearizability import judge
    from harness.checks.consistency.operations import operations_from
    from harness.checks.consistency.search import Limits
    from harness.formats.formats import read_operations

    read_s, judged_s = [], []
    for _ in range(repeats):
        began_s = time.perf_counter()
        operations = operations_from(read_operations(path, "jsonl"))
        read_s.append(time.perf_counter() - began_s)
        began_s = time.perf_counter()
        judgement = judge(KINDS["register"], operations, Limits(), time.monotonic)
        judged_s.append(time.perf_counter() - began_s)
        if judgement.answers or len(operations) != count:
            raise AssertionError(f"a right history of {count} operations was not read or judged as one")
    return Reading(
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
            say(f"reading {size} operations")
            with context.Pool(1) as pool:
                pool.apply(write_history, (path, size, seed))
            with context.Pool(1) as pool:
                found.append(pool.apply(measure_reading, (path, size, repeats)))
    return found


def markdown(readings: Sequence[Reading]) -> str:
    """The table of the benchmark page."""
    lines = ["### Reading", "", METHOD, "", "| operations | file | read | judged | memory |"]
    lines += ["| ---: | ---: | ---: | ---: | ---: |"]
    lines += [
        f"| {one.count:,} | {one.file_bytes / 2**20:.1f} MiB | {spread(one.read_s)} | {spread(one.judged_s)} | "
        f"{one.memory_bytes / 2**20:.0f} MiB |"
        for one in readings
    ]
    return "\n".join([*lines, ""])


def spread(seconds: Sequence[float]) -> str:
    """Median, and the least and greatest if there are several."""
    middle = f"{statistics.median(seconds):.3f} s"
    return middle if len(seconds) == 1 else f"{middle} ({min(seconds):.3f} to {max(seconds):.3f})"
