"""A file of lines in parts of about the same size, each of whole lines."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer  # collections.abc has it from Python 3.12 on

_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Part:
    """The bytes from ``start`` to ``end`` of a file; ``first`` is the number of the line that begins there."""

    path: Path
    start: int
    end: int
    first: int


def cut(path: Path, count: int) -> tuple[Part, ...]:
    """At most ``count`` parts, one after the other, that are the whole file; fewer where lines are long."""
    size = path.stat().st_size
    ends = []
    with path.open("rb") as file:
        for number in range(1, count):
            file.seek(size * number // count)
            file.readline()
            ends.append(file.tell())
        file.seek(0)
        parts, start, first = [], 0, 1
        for end in [*ends, size]:
            if end > start:
                parts.append(Part(path, start, end, first))
                first += _lines(file, end - start)
                start = end
    return tuple(parts)


def _lines(file: io.BufferedReader, size_bytes: int) -> int:
    """How many lines end in the next so many bytes."""
    found = 0
    while size_bytes and (block := file.read(min(size_bytes, _BLOCK_BYTES))):
        found += block.count(b"\n")
        size_bytes -= len(block)
    return found


def opened(part: Part) -> io.BufferedReader:
    """The part as a file of its own."""
    return io.BufferedReader(_Window(part), _BLOCK_BYTES)


class _Window(io.RawIOBase):
    def __init__(self, part: Part) -> None:
        self._file = part.path.open("rb", buffering=0)
        self._file.seek(part.start)
        self._left = part.end - part.start

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "Buffer") -> int:
        got = self._file.readinto(memoryview(buffer)[: self._left]) or 0
        self._left -= got
        return got

    def close(self) -> None:
        self._file.close()
        super().close()
