"""What one process makes of its part of a history, and how the pieces become the whole.

The whole is exactly what reading line by line gives. Where that cannot be promised, or something is wrong with a line,
a part is *indivisible*: the file is then read line by line, which also says what is wrong, and where.
"""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from harness.errors import HarnessError
from harness.events import Completed, Event, Invoked
from harness.formats.formats import FORMATS
from harness.formats.pairs import Line, Pair
from harness.formats.recorded import MOST, operations_of
from harness.history import History, decode_lines
from harness.operations import Columns, Pairing, paired
from harness.reading.cutting import Part, opened


class Indivisible(Exception):
    """What a part means cannot be told from the part alone."""


@dataclass(slots=True)
class Recorded:
    """A part of what others recorded.

    ``ended`` are the lines that end what began before the part, ``going`` what goes on after it, and ``began`` the
    processes of which the first line here begins something: so nothing of theirs may be going on before.
    """

    columns: Columns = field(default_factory=Columns)
    ended: dict[int, Line] = field(default_factory=dict)
    going: dict[int, Line] = field(default_factory=dict)
    began: frozenset[int] = frozenset()


def read_recorded(part: Part, format_name: str) -> Recorded:
    """Read a part of what others recorded. Raises Indivisible."""
    piece, origin = Recorded(), part.path.name
    try:
        with io.TextIOWrapper(opened(part), encoding="utf-8") as text:
            # An array of JSON may begin on any line, and ends wherever it likes.
            lines = text if format_name != "jsonl" else map(_no_array, text)
            halves = _pairs(FORMATS[format_name](lines, origin, part.first), piece)
            for operation in operations_of(halves, origin):
                piece.columns.add(operation)
            if text.newlines not in ("\n", "\r\n", None):  # lines were counted by their "\n"
                raise Indivisible
    except (HarnessError, UnicodeDecodeError) as error:
        raise Indivisible from error
    return piece


def _no_array(line: str) -> str:
    if line[0] == "[":
        raise Indivisible
    return line


def _pairs(lines: Iterable[Line], piece: Recorded) -> Iterator[Pair]:
    """As harness.formats.pairs has it, for processes that have a number."""
    going, ended = piece.going, piece.ended
    known: set[int] = set()
    for line in lines:
        _, process, kind, function, _, _, _ = line
        if type(process) is not int or not -MOST < process < MOST:
            raise Indivisible
        if kind == "invoke":
            if process in going:
                raise Indivisible
            going[process] = line
        else:
            begun = going.pop(process, None)
            if begun is not None:
                if begun[3] != function or function is None:
                    raise Indivisible
                yield begun, line
            elif process in known:
                raise Indivisible
            else:
                ended[process] = line
        known.add(process)
    piece.began = frozenset(known - ended.keys())


def put_together(pieces: Iterable[Recorded], origin: str) -> Columns:
    """The operations of a whole file. Raises Indivisible."""
    columns = Columns()
    going: dict[int, Line] = {}
    for piece in pieces:
        if not going.keys().isdisjoint(piece.began):
            raise Indivisible
        for operation in operations_of(_across(going, piece.ended), origin):
            columns.add(operation)
        columns.extend(piece.columns)
        going.update(piece.going)
    if any(begun.function is None for begun in going.values()):
        raise Indivisible
    for operation in operations_of(((begun, None) for begun in going.values()), origin):
        columns.add(operation)
    return columns


def _across(going: dict[int, Line], ended: dict[int, Line]) -> Iterator[Pair]:
    for process, line in ended.items():
        begun = going.pop(process, None)
        if begun is None or begun.function != line.function or line.function is None:
            raise Indivisible
        yield begun, line


@dataclass(slots=True)
class OfRun:
    """A part of a run: ``left`` are events of operations, in their order, whose other event may be in another part."""

    columns: Columns = field(default_factory=Columns)
    events: list[Event] = field(default_factory=list)
    left: list[Invoked | Completed] = field(default_factory=list)
    first_s: float = float("inf")
    last_s: float = float("-inf")


def read_run(part: Part) -> OfRun:
    """Read a part of a run's history. Raises Indivisible."""
    piece = OfRun()
    invoked: dict[tuple[int, int], Invoked] = {}
    torn: set[tuple[int, int]] = set()
    try:
        with opened(part) as lines:
            for event in decode_lines(lines, part.path.name):
                t_s = event.t_s
                piece.first_s = min(piece.first_s, t_s)
                piece.last_s = max(piece.last_s, t_s)
                if not isinstance(event, (Invoked, Completed)):
                    piece.events.append(event)
                    continue
                name = event.process, event.operation
                if name not in torn:
                    begun = invoked.pop(name, None)
                    if begun is None and isinstance(event, Invoked):
                        invoked[name] = event
                        continue
                    if begun is not None and isinstance(event, Completed):
                        piece.columns.add(paired(begun, event))
                        continue
                    torn.add(name)
                    piece.left += [begun] if begun is not None else []
                piece.left.append(event)
    except HarnessError as error:
        raise Indivisible from error
    piece.left.extend(invoked.values())
    return piece


def whole_run(pieces: Iterable[OfRun]) -> History:
    """The history of a whole file. Raises Indivisible."""
    pairing, events = Pairing(), list[Event]()
    left: set[tuple[int, int]] = set()
    first_s, last_s = float("inf"), float("-inf")
    for piece in pieces:
        if _has_any(piece.columns, left):  # what is left of before might belong to that
            raise Indivisible
        for event in piece.left:
            pairing.take(event)
            left.add((event.process, event.operation))
        pairing.columns.extend(piece.columns)
        events += piece.events
        first_s, last_s = min(first_s, piece.first_s), max(last_s, piece.last_s)
    return History.of_pieces(events, pairing.end(), first_s, last_s)


def _has_any(columns: Columns, names: set[tuple[int, int]]) -> bool:
    """Whether there is an operation of one of these processes and numbers."""
    ints = np.array(columns.ints, dtype=np.int64).reshape(-1, len(Columns.INTS))
    process, number = (ints[:, Columns.INTS.index(name)] for name in ("process", "number"))
    maybe = np.isin(number, [number for _, number in names]) & np.isin(process, [process for process, _ in names])
    return not names.isdisjoint(zip(process[maybe].tolist(), number[maybe].tolist(), strict=True))
