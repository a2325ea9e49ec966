"""The fields of an operation as others write them, checked once: what comes out of here is a Line, or is refused."""

from typing import Any, TypeGuard

from harness.formats.atoms import shown
from harness.formats.pairs import OUTCOMES, Line, Process, malformed
from harness.history import MAX_NESTING

TYPES = frozenset({"invoke", *OUTCOMES})
TOO_DEEP = f"nested too deeply; allowed: {MAX_NESTING} values inside each other"
LONGEST_NAME = 100
_LARGEST = (1 << 63) - 1


def line_of(fields: dict[Any, Any], number: int, entry: int, origin: str) -> Line | None:
    """The line of an operation; None when it is the nemesis's.

    Raises UsageError, naming file and line, for what cannot be one.
    """
    process = fields.get("process")
    if of_nemesis(process) or fields.get("nemesis") is True:
        return None
    kind, function, key = fields.get("type"), fields.get("f"), fields.get("key")
    if kind is None:
        raise malformed(origin, number, 'this operation has no :type ("type" in JSON)')
    if not isinstance(kind, str) or kind not in TYPES:
        raise malformed(origin, number, f"type {shown(kind)}: there are invoke, ok, fail and info")
    if function is not None and not is_name(function):
        raise malformed(origin, number, f'"f" is {shown(function)}; allowed: a name, such as read')
    if isinstance(key, list | dict | tuple):
        raise malformed(origin, number, f'"key" is {shown(key)}; allowed: a name or a number')
    named = "" if key is None else str(key)
    return Line(number, _process(process, number, origin), kind, function, named, fields.get("value"), entry)


def is_name(value: object) -> TypeGuard[str]:
    """Whether this can be the name of a function or of a process: messages have it in one line."""
    return isinstance(value, str) and 0 < len(value) <= LONGEST_NAME and value.isprintable()


def of_nemesis(process: object) -> bool:
    """Whether this is who breaks things on purpose, of whom no model judges anything."""
    return isinstance(process, str) and process.lstrip(":").lower().startswith("nemesis")


def _process(process: object, number: int, origin: str) -> Process | None:
    if type(process) is float and process.is_integer():
        process = int(process)
    if type(process) is int:
        if not -_LARGEST <= process <= _LARGEST:
            raise malformed(origin, number, f'"process" is {shown_number(process)}; allowed: up to {_LARGEST}')
        # Numbers below zero are those of processes that have names.
        return process if process >= 0 else str(process)
    if process is None or is_name(process):
        return process
    if type(process) is float:
        return str(process)
    raise malformed(
        origin,
        number,
        f'"process" is {shown(process)}; allowed: a number or a name of at most {LONGEST_NAME} characters',
    )


def shown_number(number: int) -> str:
    """A number for people: of a very long one, how long it is."""
    return str(number) if abs(number) < 10**40 else "a number of more than 40 digits"
