"""What a command shows: lines with marks and colours for people, or one JSON document for programs."""

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Literal, TextIO

from ...kit.messages import Message
from ...kit.speech import said, text

Style = Literal["red", "green", "yellow", "blue", "bold", "dim"]
_CODES: Mapping[Style, str] = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "bold": "1", "dim": "2"}
_COLOURS = re.compile(r"\033\[[0-9;]*m")
_MARKS: Mapping[str, tuple[str, str]] = {
    "done": ("✓", "+"),
    "step": ("→", ">"),
    "warning": ("⚠", "!"),
    "bad": ("✗", "x"),
}


def coloured(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether to write colours: to a terminal only, and not where NO_COLOR is set or the terminal is dumb."""
    return stream.isatty() and not environment.get("NO_COLOR") and environment.get("TERM", "dumb") != "dumb"


def encodes(stream: TextIO, mark: str) -> bool:
    """Whether the stream can show the mark."""
    try:
        mark.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


class Output:
    """Where a command writes. In JSON mode only ``document`` writes to stdout; warnings go to stderr in any case."""

    def __init__(self, *, as_json: bool = False, verbose: bool = False) -> None:
        self.as_json, self.verbose = as_json, verbose
        self._colour = coloured(sys.stdout, os.environ)
        self._colour_of_errors = coloured(sys.stderr, os.environ)

    def paint(self, shown: str, *styles: Style) -> str:
        """The text in colour, where colours are wanted."""
        return _painted(shown, styles, self._colour)

    def line(self, shown: str = "") -> None:
        """A line as it is (already in the user's language)."""
        if not self.as_json:
            _write(sys.stdout, shown)

    def say(self, key: str, /, **values: object) -> None:
        """A sentence of the catalogue."""
        self.line(text(key, **values))

    def detail(self, key: str, /, **values: object) -> None:
        """A sentence for `--verbose` only."""
        if self.verbose:
            self.line(self.paint(text(key, **values), "dim"))

    def done(self, key: str, /, **values: object) -> None:
        """Something that was achieved: green tick."""
        self.marked("done", "green", text(key, **values))

    def step(self, key: str, /, **values: object) -> None:
        """Something that begins: blue arrow."""
        self.marked("step", "blue", text(key, **values))

    def partial(self, key: str, /, **values: object) -> None:
        """Something that was done in part, as n/total: yellow, among the results."""
        self.marked("warning", "yellow", text(key, **values))

    def warn(self, warning: Message | str) -> None:
        """A warning, to stderr."""
        mark = _mark("warning", sys.stderr)
        _write(sys.stderr, _painted(f"{mark} {said(warning)}", ("yellow",), self._colour_of_errors))

    def error(self, why: Message | str) -> None:
        """The one line that says why the command failed, to stderr; in JSON mode a document as well."""
        _write(sys.stderr, f"{_painted('sfha:', ('red',), self._colour_of_errors)} {said(why)}")
        if self.as_json:
            self.document({"ok": False, "error": said(why)})

    def table(self, rows: Sequence[Sequence[str]], heads: Sequence[str] = (), indent: int = 2) -> None:
        """Rows in columns; ``heads`` are shown dimmed above them."""
        every = [list(heads), *rows] if heads else list(rows)
        columns = range(max(map(len, every), default=0))
        widths = [max(_width(row[index]) for row in every if index < len(row)) for index in columns]
        for number, row in enumerate(every):
            cells = [cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=False)]
            shown = " " * indent + "  ".join(cells).rstrip()
            self.line(self.paint(shown, "dim") if heads and number == 0 else shown)

    def document(self, document: object) -> None:
        """The JSON document of `--json`; nothing otherwise."""
        if self.as_json:
            _write(sys.stdout, json.dumps(document, indent=2, ensure_ascii=False, default=str))

    def marked(self, mark: str, style: Style, shown: str) -> None:
        """A line with one of the marks before it."""
        self.line(f"{self.paint(_mark(mark, sys.stdout), style)} {shown}")


def _width(cell: str) -> int:
    """Columns on the screen: colours take none."""
    return len(_COLOURS.sub("", cell))


def _mark(name: str, stream: TextIO) -> str:
    mark, plain = _MARKS[name]
    return mark if encodes(stream, mark) else plain


def _painted(shown: str, styles: Sequence[Style], colour: bool) -> str:
    if not colour or not styles:
        return shown
    return f"\033[{';'.join(_CODES[style] for style in styles)}m{shown}\033[0m"


def _write(stream: TextIO, shown: str) -> None:
    # Line by line and at once, so that a pipe sees what a terminal sees; a reader who left is not an error of ours.
    stream.write(shown + "\n")
    stream.flush()
