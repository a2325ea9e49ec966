"""Putting together the line that began an operation and the one that ended it.

A line may leave out its process or its function: they are then those of the only operation that it can mean.
The place in the file is the only time that is used: whoever wrote the file saw the lines in that order.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from harness.errors import UsageError

OUTCOMES = {"ok": "ok", "fail": "failed", "failed": "failed", "info": "unknown", "unknown": "unknown"}
ENTRIES = 10**7
"""So many operations at most are on one line."""
Process = int | str


class Line(NamedTuple):
    """One line of a foreign history. ``type`` is "invoke" or one of OUTCOMES; what is None was not written.

    A tuple, not a dataclass: there are two of them for each of a million operations.
    """

    number: int
    process: Process | None
    type: str
    function: str | None
    key: str = ""
    value: Any = None
    entry: int = 0
    """Which of the operations on its line of the file it is, from 0."""

    @property
    def at(self) -> float:
        """When it was: lines, and operations on one line, are in order."""
        return self.number + self.entry / ENTRIES if self.entry else float(self.number)


Pair = tuple[Line, Line | None]
"""How an operation began, and how it ended (None: it never did)."""


def malformed(origin: str, number: int, why: str) -> UsageError:
    """The error for a line that cannot be read."""
    return UsageError(f"{origin}:{number}: {why}")


def pairs(lines: Iterable[Line], origin: str) -> Iterator[Pair]:
    """Operations as they end, then those that never ended. The function of the first line is always filled in.

    Raises UsageError, naming the line, when a process does two things at once, when it ends what it did not begin,
    and when a line without a process could mean several operations.
    """
    going: dict[Process | None, Line] = {}
    for line in lines:
        number, process, kind, function, _, _, _ = line
        if kind == "invoke":
            if process in going:
                raise malformed(origin, number, _busy(going[process]))
            going[process] = line
            continue
        begun = going.pop(process, None)
        if begun is None:
            begun = going.pop(_only_one(line, going, origin))
        if begun[3] != function or function is None:
            begun = _agreed(begun, line, origin)
        yield begun, line
    for begun in going.values():
        yield (begun if begun.function is not None else _agreed(begun, None, origin)), None


def _busy(begun: Line) -> str:
    if begun.process is None:
        return f"what began on line {begun.number} has not ended: say of each operation which process it is of"
    return f"process {begun.process} is still busy since line {begun.number}"


def _only_one(line: Line, going: dict[Process | None, Line], origin: str) -> Process | None:
    """The process of the only operation that a line without one can have ended."""
    if line.process is not None:
        raise malformed(origin, line.number, f"process {line.process} ended an operation that it had not invoked")
    able = [one for one, begun in going.items() if line.function in (None, begun.function)]
    if len(able) != 1:
        many = f"any of {len(able)} operations could have ended" if able else "no operation is there that could end"
        raise malformed(origin, line.number, f"this line has no process, and {many}")
    return able[0]


def _agreed(begun: Line, ended: Line | None, origin: str) -> Line:
    """The first line of an operation, with its function."""
    if begun.function is None:
        function = ended.function if ended is not None else None
        if function is None and isinstance(begun.value, list) and begun.value and isinstance(begun.value[0], list):
            function = "txn"
        if function is None:
            raise malformed(origin, begun.number, 'this operation has no :f ("f" in JSON)')
        return begun._replace(function=function)
    if ended is not None and ended.function is not None:
        told = f"invoked {begun.function} on line {begun.number} and ended {ended.function}"
        raise malformed(origin, ended.number, f"process {ended.process} {told}")
    return begun
