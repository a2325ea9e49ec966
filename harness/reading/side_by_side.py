"""Reading a history by as many processes as there are processors. Small ones are read here: a process costs more."""

import os
import pickle
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from harness.formats.formats import read_operations
from harness.history import History, file_of
from harness.operations import Columns, columns_of
from harness.reading.cutting import Part, cut
from harness.reading.piece import RUN
from harness.reading.pieces import Indivisible, put_together, whole_run

PART_BYTES = 8 << 20
"""A part is about as large as this: no process ever holds more of the file than one."""
_MOST_PROCESSES = 4
_MOST_PARTS = 1000
"""Of a file that is larger than so many, the parts are larger."""


def read_columns(path: Path, format_name: str, part_bytes: int = PART_BYTES) -> Columns:
    """The operations of what others recorded.

    Raises UsageError, naming file and line, for what cannot be read.
    """
    try:
        return put_together(_pieces(path, format_name, part_bytes), path.name)
    except Indivisible:
        return columns_of(read_operations(path, format_name))


def read_history(path: Path, part_bytes: int = PART_BYTES) -> History:
    """A run's history: a file, or the one in a run's directory.

    Raises HarnessError with file and line number for a line that is no event.
    """
    try:
        return whole_run(_pieces(file_of(path), RUN, part_bytes))
    except Indivisible:
        return History.read(path)


def processes_for(path: Path, part_bytes: int = PART_BYTES) -> int:
    """How many processes read a file; fewer than two: this one does."""
    return min(len(os.sched_getaffinity(0)), _MOST_PROCESSES, path.stat().st_size // part_bytes)


def _pieces(path: Path, format_name: str, part_bytes: int) -> Iterator[Any]:
    """What the processes made of the parts, one after the other, so that none is kept when the next one comes.

    They take turns: a process reads on only when its last piece has been taken, so that it keeps one as well.
    Raises Indivisible: also where a process could not do it.
    """
    try:
        processes = processes_for(path, part_bytes)
        if processes < 2 or _is_one_value(path):
            raise Indivisible
        parts = cut(path, min(path.stat().st_size // part_bytes, _MOST_PARTS))
    except OSError as error:
        raise Indivisible from error
    turns = [parts[turn::processes] for turn in range(min(processes, len(parts)))]
    with ExitStack() as started:
        running = [started.enter_context(_started(path, turn, format_name)) for turn in turns]
        started.callback(_end, running)  # when one of them could not do it, nobody needs the others
        for number in range(len(parts)):
            yield _taken(running[number % len(running)])


def _is_one_value(path: Path) -> bool:
    """Whether the whole file is one vector, list or array, of which no part can be read by itself."""
    with path.open("rb") as file:
        return file.read(1 << 10).lstrip(b"\xef\xbb\xbf \t\r\n,")[:1] in (b"[", b"(")


def _started(path: Path, parts: Iterable[Part], format_name: str) -> subprocess.Popen[bytes]:
    words = [format_name, str(path), *(f"{part.start}:{part.end}:{part.first}" for part in parts)]
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "harness.reading.piece", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def _end(running: Iterable[subprocess.Popen[bytes]]) -> None:
    for process in running:
        process.kill()


def _taken(process: subprocess.Popen[bytes]) -> Any:
    assert process.stdout is not None
    try:
        return pickle.load(process.stdout)
    except (EOFError, pickle.UnpicklingError) as error:
        raise Indivisible from error
