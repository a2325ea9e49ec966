"""The foreign formats by their names."""

import codecs
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from harness.errors import UsageError
from harness.formats.edn import edn_lines
from harness.formats.jepsen_log import jepsen_log_lines
from harness.formats.jsonl import jsonl_lines
from harness.formats.pairs import Line, malformed
from harness.formats.recorded import operations_in
from harness.operations import Operation


class Reads(Protocol):
    """Reads the lines of a format; ``first`` is the number of the first of them in the file."""

    def __call__(self, text: Iterable[str], origin: str, first: int = 1) -> Iterator[Line]:
        """The lines of the history, one after the other."""


FORMATS: dict[str, Reads] = {
    "jepsen-log": jepsen_log_lines,
    "edn": edn_lines,
    "jsonl": jsonl_lines,
}
AUTO = "auto"
_HEAD_BYTES = 1 << 16
_PACKED = {
    b"\x1f\x8b": "gunzip",
    b"\xfd7zXZ\0": "unxz",
    b"BZh": "bunzip2",
    b"\x28\xb5\x2f\xfd": "unzstd",
    b"PK\x03\x04": "unzip",
}
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_operations(path: Path, format_name: str) -> Iterator[Operation]:
    """The operations of a foreign history, one after the other as they end; the file is never held as a whole.

    Raises UsageError, naming file and line, for what cannot be read.
    """
    return operations_in(lines_of(path, format_name), path.name)


def lines_of(path: Path, format_name: str) -> Iterator[Line]:
    """The lines of a foreign history.

    Raises UsageError, naming file and line, for what cannot be read.
    """
    try:
        with path.open(encoding="utf-8") as file:
            yield from FORMATS[format_name](file, path.name)
    except UnicodeDecodeError:
        raise malformed(path.name, *_not_text(path)) from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from None


def _not_text(path: Path) -> tuple[int, str]:
    """The number of the first line that is not UTF-8, and what it is."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if number == 1 and (other := _other_than_text(line)):
                return number, other
            try:
                line.decode()
            except UnicodeDecodeError as error:
                return number, f"not text in UTF-8 (byte {line[error.start]:#04x} at {error.start + 1})"
    return 1, "not text in UTF-8"


def _other_than_text(head: bytes) -> str | None:
    """What a file is by its first bytes, and what to do about it; None where they say nothing."""
    if head.startswith(_UTF_16):
        return "this is UTF-16; save the file as text in UTF-8"
    program = next((program for magic, program in _PACKED.items() if head.startswith(magic)), None)
    return None if program is None else f"this is packed; unpack it first ({program})"


def format_of(path: Path) -> str | None:
    """The format that a file looks like it is in; None for a history of the harness itself, and for nothing.

    Raises UsageError for what is none before it is made text.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from None
    if other := _other_than_text(head):
        raise malformed(path.name, 1, other)
    text = head.decode(errors="replace").lstrip("\ufeff \t\r\n,")
    first, second = text[:1], text[1:].lstrip(" \t\r\n,")[:1]
    if first == "[" and second in ("{", "]"):
        inner = text[text.index(second) + 1 :].lstrip(" \t\r\n,")[:1]
        return "jsonl" if second == "{" and inner == '"' else "edn"
    if first == "{" and second == '"':
        return None if '"kind"' in text.partition("\n")[0][:100] else "jsonl"
    if (first == "[" and second in ("#", ";", "^")) or first in ("{", "(", ";", "^", "#"):
        return "edn"
    return "jepsen-log" if first else None
