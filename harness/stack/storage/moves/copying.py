"""Copying and verifying, several blocks at once; holes stay holes, and what was read is what the digest says.

Threads, since each block is read, hashed and written without the interpreter: while one waits for the disk, another
hashes. A hole is neither read nor hashed.
"""

import mmap
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

from .digest import BLOCK_BYTES, Digest, digest_of_block, not_zeros
from .ports import Readable, Writable
from .progress import Progress

Report = Callable[[Progress], None]
WORKERS = 4
"""More than processors: some wait for the disk."""
HUGE_PAGE_BYTES = 2 << 20


class Piece(NamedTuple):
    """Blocks that follow each other: one with data, or as many as are a hole."""

    first: int
    blocks: int
    is_data: bool


def pieces(data: Iterable[tuple[int, int]], size_bytes: int, block_bytes: int) -> Iterator[Piece]:
    """All blocks of a file in order, of where it has data (from, up to; bytes). Pure."""
    following = 0
    for begin, end in data:
        first, past = max(begin // block_bytes, following), -(-min(end, size_bytes) // block_bytes)
        if first < past:
            if following < first:
                yield Piece(following, first - following, is_data=False)
            for number in range(first, past):
                yield Piece(number, 1, is_data=True)
            following = past
    past = -(-size_bytes // block_bytes)
    if following < past:
        yield Piece(following, past - following, is_data=False)


def copy(
    source: Readable, target: Writable, report: Report, block_bytes: int = BLOCK_BYTES, workers: int = WORKERS
) -> str:
    """Copy everything; gives the digest of what was read. What it wrote is yet to be synced. Raises OSError."""

    def one(offset: int, length: int, memory: memoryview) -> bytes | None:
        source.read(offset, length, memory)
        block = memory[:length]
        for begin, end in not_zeros(block):
            target.write(offset + begin, block[begin:end])
        return digest_of_block(block)

    return _Pass(source, "copied", report, block_bytes).through(one, workers)


def digest_of(file: Readable, report: Report, block_bytes: int = BLOCK_BYTES, workers: int = WORKERS) -> str:
    """The digest of what there is. Raises OSError."""

    def one(offset: int, length: int, memory: memoryview) -> bytes | None:
        file.read(offset, length, memory)
        return digest_of_block(memory[:length])

    return _Pass(file, "verified", report, block_bytes).through(one, workers)


class _Pass:
    """One way through a file."""

    def __init__(self, file: Readable, what: str, report: Report, block_bytes: int) -> None:
        self._what, self._report = what, report
        self._size_bytes, self._block_bytes = file.size_bytes, block_bytes
        self._digest = Digest(file.size_bytes, block_bytes)
        self._pieces = pieces(file.data(), file.size_bytes, block_bytes)
        self._began_s, self._done_bytes = time.monotonic(), 0
        self._lock, self._stopped = threading.Lock(), False
        self._failed: BaseException | None = None

    def through(self, one: Callable[[int, int, memoryview], bytes | None], workers: int) -> str:
        """Each block with data once, by one of the workers; gives the digest of all. Raises what one of them raised."""
        memories = _memories(workers, self._block_bytes)
        others: list[threading.Thread] = []
        try:
            for memory in memories[1:]:
                other = threading.Thread(target=self._work, args=(one, memory))
                other.start()
                others.append(other)
            self._work(one, memories[0])
            for other in others:
                other.join()
        finally:  # also when this thread is interrupted: who is at it still uses files that are closed next
            self._stopped = True
            for other in others:
                other.join()
        if self._failed is not None:
            raise self._failed
        return self._digest.said()

    def _work(self, one: Callable[[int, int, memoryview], bytes | None], memory: memoryview) -> None:
        try:
            while (number := self._next()) is not None:
                offset = number * self._block_bytes
                digest = one(offset, min(self._block_bytes, self._size_bytes - offset), memory)
                with self._lock:
                    self._add(Piece(number, 1, is_data=True), digest)
        except BaseException as error:
            self._failed, self._stopped = self._failed or error, True

    def _next(self) -> int | None:
        """The next block that has data; what is a hole before it is done with that."""
        with self._lock:
            while not self._stopped and (piece := next(self._pieces, None)) is not None:
                if piece.is_data:
                    return piece.first
                self._add(piece, None)
        return None

    def _add(self, piece: Piece, digest: bytes | None) -> None:
        self._digest.add(piece.first, digest, piece.blocks)
        begin = piece.first * self._block_bytes
        self._done_bytes += min(piece.blocks * self._block_bytes, self._size_bytes - begin)
        passed_s = time.monotonic() - self._began_s
        self._report(Progress(self._what, self._done_bytes, self._size_bytes, passed_s))


def _memories(count: int, block_bytes: int) -> list[memoryview]:
    """One for each worker, of whole pages.

    Of huge ones where the kernel has some: what goes to the disk is then one piece of memory and not hundreds, which
    takes a virtual disk half the time. As nobody says where a huge page begins, one is left free at both ends.
    """
    each = -(-block_bytes // mmap.PAGESIZE) * mmap.PAGESIZE
    room = mmap.mmap(-1, count * each + 2 * HUGE_PAGE_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with suppress(OSError):  # a kernel without them
        room.madvise(mmap.MADV_HUGEPAGE)
    free = memoryview(room)[HUGE_PAGE_BYTES:]
    return [free[number * each : (number + 1) * each] for number in range(count)]
