"""Copying and verifying block by block; holes stay holes, and what was read is what the digest says."""

import time
from collections.abc import Callable, Iterator

from .digest import BLOCK_BYTES, ZEROS, Digest
from .ports import Readable, Writable
from .progress import Progress

Report = Callable[[Progress], None]


def copy(source: Readable, target: Writable, report: Report, block_bytes: int = BLOCK_BYTES) -> str:
    """Copy everything and sync it; gives the digest of what was read. Raises OSError."""
    digest = Digest(source.size_bytes)
    for offset, block in _blocks(source, "copied", report, block_bytes):
        if block is None:
            digest.add_zeros(min(block_bytes, source.size_bytes - offset))
        else:
            digest.add(block)
            target.write(offset, block)
    target.sync()
    return digest.said()


def digest_of(file: Readable, report: Report, block_bytes: int = BLOCK_BYTES) -> str:
    """The digest of what there is. Raises OSError."""
    digest = Digest(file.size_bytes)
    for offset, block in _blocks(file, "verified", report, block_bytes):
        if block is None:
            digest.add_zeros(min(block_bytes, file.size_bytes - offset))
        else:
            digest.add(block)
    return digest.said()


def _blocks(file: Readable, what: str, report: Report, block_bytes: int) -> Iterator[tuple[int, bytes | None]]:
    """Offset and content of each block in order; None for what is all zeros."""
    began_s, data = time.monotonic(), file.data()
    begin, end = next(data, (file.size_bytes, file.size_bytes))
    for offset in range(0, file.size_bytes, block_bytes):
        length = min(block_bytes, file.size_bytes - offset)
        while end <= offset < file.size_bytes and begin < file.size_bytes:
            begin, end = next(data, (file.size_bytes, file.size_bytes))
        block = file.read(offset, length) if begin < offset + length else None
        yield offset, None if block == ZEROS[:length] else block
        report(Progress(what, offset + length, file.size_bytes, time.monotonic() - began_s))
