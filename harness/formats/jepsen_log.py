"""What Jepsen writes while it runs: ``INFO  jepsen.util - 2<TAB>:invoke<TAB>:write<TAB>4``.

That is its log in the forms of several versions, what it prints on the console, and ``history.txt``, which has the
operations alone. What else is in a log (other loggers, banners, maps over many lines, stack traces) is passed over.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from harness.formats.edn import forms, value_of
from harness.formats.fields import TYPES, line_of, of_nemesis
from harness.formats.pairs import Line, malformed
from harness.formats.shapes import PLAIN, PlainValues

_KINDS = {f":{name}": name for name in TYPES}
_LOGGERS = ("jepsen.util -", "jepsen.util:", "jepsen.util")
_OURS = re.compile(r"\bjepsen\.util\b\s*[-:]?\s+(?P<rest>.*)$", re.DOTALL)
_OPERATION = re.compile(
    r"(?P<process>\S+)\s+(?P<type>:[a-z]+)(?:\s+(?P<f>\S+)(?:(?P<gap>\s+)(?P<value>.*))?)?$", re.DOTALL
)
_ALONE = re.compile(r"(?:\d+|:?nemesis\S*)\s+:(?:invoke|ok|fail|info)\s")
_OTHERS = re.compile(r"\b(?:TRACE|DEBUG|INFO|WARN|ERROR|FATAL)\b")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def jepsen_log_lines(text: Iterable[str], origin: str, first: int = 1) -> Iterator[Line]:
    """The lines of a history in a Jepsen log."""
    strange, log = 0, False
    values = PlainValues(lambda value, number: value_of(value, origin, number))
    for number, line in enumerate(text, start=first):
        simple = _simple(line, number, values)
        if simple is not None:
            log = True
            yield simple
            continue
        plain = _COLOUR.sub("", line).strip("\ufeff\r\n") if "\x1b" in line or number == 1 else line.rstrip("\r\n")
        ours = _OURS.search(plain)
        if ours is None and not _ALONE.match(plain):
            if _OTHERS.search(plain):
                log = True
            elif not strange and plain.strip():
                strange = number
            continue
        log = True
        one = _operation(ours["rest"] if ours else plain, number, origin)
        if one is not None:
            yield one
    if strange and not log:
        raise malformed(origin, strange, "this is no line of a Jepsen log (give another --format: edn or jsonl)")


def _simple(line: str, number: int, values: PlainValues) -> Line | None:
    """A line with a plain value, which most are: split at its tabs, without an expression."""
    fields = line.split("\t")
    if len(fields) < 4:
        return None
    logger, _, process = fields[-4].rpartition(" ")
    kind, function, value = _KINDS.get(fields[-3]), fields[-2], fields[-1].rstrip("\n")
    if kind is None or not (process.isdecimal() and len(process) < 19 and (not logger or logger.endswith(_LOGGERS))):
        return None
    if function[:1] != ":" or not 2 <= len(function) <= 50 or " " in function or not function.isprintable():
        return None
    if value == "nil":
        return Line(number, int(process), kind, function[1:])
    if not (value.isdecimal() and len(value) < 19) and PLAIN.fullmatch(value) is None:
        return None
    return Line(number, int(process), kind, function[1:], "", values.read(value, number))


def _operation(text: str, number: int, origin: str) -> Line | None:
    """An operation; None for what is none (the logger has other messages as well), or the nemesis's."""
    told = _OPERATION.match(text)
    if told is None or of_nemesis(told["process"]):
        return None
    process = _process(told["process"])
    if process is None or not (told["f"] or "").startswith(":") or told["value"] is None:
        raise malformed(origin, number, "an operation is process, :type, :function and value, separated by tabs")
    if told["type"][1:] not in TYPES:
        raise malformed(origin, number, f"type {told['type']}: there are :invoke, :ok, :fail and :info")
    value = _value(told["value"], "\t" in told["gap"], number, origin)
    fields = {"process": process, "type": told["type"][1:], "f": told["f"][1:], "value": value}
    return line_of(fields, number, 0, origin)


def _process(text: str) -> int | str | None:
    if re.fullmatch(r"\d{1,40}", text):
        return int(text)
    return text[1:] if re.fullmatch(r":\S+", text) else None


def _value(text: str, tabs: bool, number: int, origin: str) -> Any:
    """The value; an error may stand behind it, which is no EDN."""
    if tabs:
        return value_of(text.split("\t", 1)[0], origin, number)
    for _, form in forms([text], origin, number):
        return form
    raise malformed(origin, number, "an operation is process, :type, :function and value, separated by tabs")
