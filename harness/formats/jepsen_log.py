"""The log that Jepsen writes while it runs: ``INFO  jepsen.util - 2<TAB>:invoke<TAB>:write<TAB>4``.

Lines of other loggers are read over, as is what the nemesis did.
"""

import re
from collections.abc import Iterable, Iterator

from harness.formats.edn import value_of
from harness.formats.pairs import OUTCOMES, Line, malformed

_OURS = re.compile(r"\bjepsen\.util\s*[-:]\s+(?P<rest>.*)$")
_OTHERS = re.compile(r"\b(?:TRACE|DEBUG|INFO|WARN|ERROR|FATAL)\b")


def jepsen_log_lines(text: Iterable[str], origin: str) -> Iterator[Line]:
    """The lines of a history in a Jepsen log."""
    for number, line in enumerate(text, start=1):
        ours = _OURS.search(line.rstrip("\n"))
        if ours is None:
            if line.strip() and not _OTHERS.search(line):
                raise malformed(origin, number, "this is no line of a Jepsen log")
            continue
        fields = ours["rest"].split("\t")
        if fields[0] == ":nemesis":
            continue
        if len(fields) < 4 or not re.fullmatch(r"\d+", fields[0]) or not fields[2].startswith(":"):
            raise malformed(origin, number, "an operation is process, :type, :function and value, separated by tabs")
        kind = fields[1].removeprefix(":")
        if kind != "invoke" and kind not in OUTCOMES:
            raise malformed(origin, number, f"type {fields[1]}: there are :invoke, :ok, :fail and :info")
        value = value_of(fields[3], origin, number)
        yield Line(number, int(fields[0]), kind, fields[2][1:], value=value)
