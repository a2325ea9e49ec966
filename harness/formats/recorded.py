"""What a foreign history means: operations from the lines that begin and end them."""

from collections.abc import Iterable, Iterator
from typing import Any

from harness.formats.pairs import OUTCOMES, Line, Process, malformed, pairs
from harness.operations import Operation

_ANSWERS = ("read", "get", "dequeue", "txn", "drain")
_NAMES = {"r": "read", "w": "write", "inc": "increment", "put!": "put", "deq": "dequeue", "enq": "enqueue"}


def operations_in(lines: Iterable[Line], origin: str) -> Iterator[Operation]:
    """Operations from the lines that begin and end them; one that never ended is unknown.

    A process that has a name gets a negative number, and its name as the node. Raises UsageError, naming the line.
    """
    names: dict[Process | None, int] = {}
    for begun, ended in pairs(lines, origin):
        yield from _operation(begun, ended, origin, names)


def _operation(begun: Line, ended: Line | None, origin: str, names: dict[Process | None, int]) -> Iterator[Operation]:
    process, name = begun.process, ""
    if not isinstance(process, int):
        name, process = process or "", names.setdefault(process, -1 - len(names))
    outcome = OUTCOMES[ended.type] if ended else "unknown"
    function = _NAMES.get(begun.function or "", begun.function or "")
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
            process=process,
            function=function,
            key=begun.key,
            argument=argument,
            expected=expected,
            result=answer,
            outcome=outcome,
            invoked_s=float(begun.number),
            completed_s=float(ended.number) if ended else None,
            number=begun.number,
            node=name,
        )
