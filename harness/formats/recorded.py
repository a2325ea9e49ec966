"""What a foreign history means, whatever it is a history of: operations from the lines that begin and end them.

What the values mean for a model is not decided here: nothing is dropped, and nothing is taken for what it may not be.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from harness.formats.atoms import shown
from harness.formats.pairs import OUTCOMES, Line, Pair, Process, malformed, pairs
from harness.operations import CAS_OF_KEY, NAMED, Operation

_ANSWERS = ("read", "get", "dequeue", "txn", "drain")
_NAMES = {"r": "read", "w": "write", "inc": "increment", "put!": "put", "deq": "dequeue", "enq": "enqueue"}
_PLAIN = frozenset({"read", "write", "get", "put", "add", "enqueue", "dequeue", "acquire", "release"})
"""Functions that are what they are called, when they take no list."""
MOST = 1 << 60
"""A process with a greater number is kept by its name."""


def operations_in(lines: Iterable[Line], origin: str) -> Iterator[Operation]:
    """Operations from the lines that begin and end them; one that never ended is unknown.

    A process that has a name gets a number below NAMED, and its name as the node. Raises UsageError, naming the line.
    """
    return operations_of(pairs(lines, origin), origin)


def operations_of(halves: Iterable[Pair], origin: str) -> Iterator[Operation]:
    """Operations from their two lines each, which are pairs already."""
    names: dict[Process | None, int] = {}
    for begun, ended in halves:
        number, process, _, function, key, value, entry = begun
        if ended is None or entry or ended[-1] or function not in _PLAIN or isinstance(value, list):
            yield from _operation(begun, ended, origin, names)
        elif type(process) is int and -MOST < process < MOST:
            # By far the most: a million of these are worth some lines of their own.
            outcome = OUTCOMES[ended[2]]
            yield Operation(
                process=process,
                function=function,
                key=key,
                argument=value,
                result=ended[5] if outcome == "ok" and function in _ANSWERS else None,
                outcome=outcome,
                invoked_s=float(number),
                completed_s=float(ended[0]),
                number=number,
            )
        else:
            yield from _operation(begun, ended, origin, names)


def _operation(begun: Line, ended: Line | None, origin: str, names: dict[Process | None, int]) -> Iterator[Operation]:
    process, name = begun.process, ""
    if not isinstance(process, int) or not -MOST < process < MOST:
        name, process = str("" if process is None else process), names.setdefault(process, NAMED - len(names))
    outcome = OUTCOMES[ended.type] if ended else "unknown"
    function = _NAMES.get(begun.function or "", begun.function or "")
    argument, expected = begun.value, None
    if function == "cas":
        function, expected, argument = _compared(begun, origin)
    told = function in _ANSWERS or _has_steps(argument)
    answers: list[Any] = [ended.value if told and ended and outcome == "ok" else None]
    if function == "increment" and argument is None:
        argument = 1
    if function == "drain" and ended and outcome == "ok":
        function, answers = "dequeue", _drained(argument, ended, origin)
    for answer in answers:
        yield Operation(
            process=process,
            function=function,
            key=begun.key,
            argument=argument,
            expected=expected,
            result=answer,
            outcome=outcome,
            invoked_s=begun.at,
            completed_s=ended.at if ended else None,
            number=begun.number,
            node=name,
        )


def _compared(begun: Line, origin: str) -> tuple[str, Any, Any]:
    """What a compare-and-set is called, and its two values; with a key, that and a list of the two."""
    value = begun.value
    if isinstance(value, list | tuple) and len(value) == 3:
        return CAS_OF_KEY, value[0], list(value[1:])
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise malformed(origin, begun.number, "cas takes [expected new], or with a key [key [expected new]]")
    return "cas", value[0], value[1]


def _has_steps(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and isinstance(value[0], list | tuple)


def _drained(asked: Any, ended: Line, origin: str) -> list[Any]:
    """A drain is as many dequeues as it took messages, and one that found nothing any more."""
    found, key = ended.value, None
    if isinstance(asked, list | tuple) and len(asked) == 2 and isinstance(found, list | tuple) and len(found) == 2:
        key, found = found
    if not isinstance(found, list | tuple | set | frozenset):
        raise malformed(
            origin, ended.number, f"a drain that is ok returns the list of what it took, not {shown(found)}"
        )
    return [*found, None] if key is None else [[key, one] for one in (*found, None)]
