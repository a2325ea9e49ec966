"""What the foreign formats have in common: one line tells that an operation was invoked, another how it ended.

The place in the file is the only time that is used: whoever wrote the file saw the lines in that order.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from harness.errors import UsageError
from harness.operations import Operation

OUTCOMES = {"ok": "ok", "fail": "failed", "failed": "failed", "info": "unknown", "unknown": "unknown"}
_ANSWERS = ("read", "get", "dequeue", "txn", "drain")
_NAMES = {"r": "read", "w": "write", "inc": "increment", "put!": "put", "deq": "dequeue", "enq": "enqueue"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a foreign history. ``type`` is "invoke" or one of OUTCOMES."""

    number: int
    process: int
    type: str
    function: str
    key: str = ""
    value: Any = None


def malformed(origin: str, number: int, why: str) -> UsageError:
    """The error for a line that cannot be read."""
    return UsageError(f"{origin}:{number}: {why}")


def operations_in(lines: Iterable[Line], origin: str) -> Iterator[Operation]:
    """Operations from the lines that begin and end them; one that never ended is unknown.

    Raises UsageError, naming the line, when a process does two things at once or ends what it did not begin.
    """
    going: dict[int, Line] = {}
    for line in lines:
        begun = going.pop(line.process, None)
        if line.type == "invoke":
            if begun is not None:
                raise malformed(origin, line.number, f"process {line.process} is still busy since line {begun.number}")
            going[line.process] = line
        elif line.type not in OUTCOMES:
            raise malformed(origin, line.number, f"type {line.type!r}: there are invoke, ok, fail and info")
        elif begun is None:
            raise malformed(origin, line.number, f"process {line.process} ended an operation that it had not invoked")
        elif begun.function != line.function:
            told = f"process {line.process} invoked {begun.function} on line {begun.number} and ended {line.function}"
            raise malformed(origin, line.number, told)
        else:
            yield from _operation(begun, line, origin)
    for begun in going.values():
        yield from _operation(begun, None, origin)


def _operation(begun: Line, ended: Line | None, origin: str) -> Iterator[Operation]:
    outcome = OUTCOMES[ended.type] if ended else "unknown"
    function = _NAMES.get(begun.function, begun.function)
    argument, expected, result = begun.value, None, None
    if function == "cas":
        if not isinstance(argument, list | tuple) or len(argument) != 2:
            raise malformed(origin, begun.number, "cas takes [expected new]")
        expected, argument = argument
    if function in _ANSWERS:
        argument = begun.value if function == "txn" else None
        result = ended.value if ended and outcome == "ok" else None
    if function == "increment" and argument is None:
        argument = 1
    answers: list[Any] = [result]
    if function == "drain":
        function, answers = "dequeue", list(result or [])
    for answer in answers:
        yield Operation(
            process=begun.process,
            function=function,
            key=begun.key,
            argument=argument,
            expected=expected,
            result=answer,
            outcome=outcome,
            invoked_s=float(begun.number),
            completed_s=float(ended.number) if ended else None,
            number=begun.number,
        )
