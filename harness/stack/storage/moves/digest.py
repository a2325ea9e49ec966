"""A digest of a volume's content that does not depend on where its holes are. Pure.

SHA-256 over the SHA-256 of each block of 1 MiB, with the size before: blocks of zeros, most of a sparse disk, cost one
look in a table, whether they are holes in this file system or written. Processors have instructions for SHA-256, which
makes it the quickest that Python has; and it gives the interpreter away meanwhile, so that several threads are quicker.
"""

import hashlib
from collections.abc import Iterator

BLOCK_BYTES = 1 << 20
ZEROS = bytes(BLOCK_BYTES)
_ZERO_DIGEST = hashlib.sha256(ZEROS).digest()
_FIRST_BYTES = 64
GRAIN_BYTES = 64 << 10
"""The least that becomes a hole. Less is more to look at; MooseFS keeps nothing smaller apart."""


def digest_of_block(block: memoryview) -> bytes | None:
    """Of one block; None where it is all zeros."""
    return None if _is_zeros(block) else hashlib.sha256(block).digest()


def not_zeros(block: memoryview, grain_bytes: int = GRAIN_BYTES) -> Iterator[tuple[int, int]]:
    """From, up to (bytes): where a block has something else than zeros, in whole grains; those side by side are one."""
    begin = None
    for at in range(0, len(block), grain_bytes):
        if not _is_zeros(block[at : at + grain_bytes]):
            begin = at if begin is None else begin
        elif begin is not None:
            yield begin, at
            begin = None
    if begin is not None:
        yield begin, len(block)


def _is_zeros(block: memoryview) -> bool:
    """Most that are not are told by their first bytes."""
    first = block[:_FIRST_BYTES]
    return bytes(first) == ZEROS[: len(first)] and bytes(block) == ZEROS[: len(block)]


class Digest:
    """Takes the blocks of a volume in any order, each once."""

    def __init__(self, size_bytes: int, block_bytes: int = BLOCK_BYTES) -> None:
        self._size_bytes, self._block_bytes = size_bytes, block_bytes
        self._whole = hashlib.sha256(size_bytes.to_bytes(8, "big"))
        self._next = 0
        self._early: dict[int, tuple[bytes | None, int]] = {}

    def add(self, number: int, digest: bytes | None, blocks: int = 1) -> None:
        """Of the block with this number; None for as many blocks of zeros, from it on."""
        self._early[number] = digest, blocks
        while self._next in self._early:
            at = self._next
            digest, blocks = self._early.pop(at)
            self._next += blocks
            if digest is not None:
                self._whole.update(digest)
                continue
            for each in range(at, self._next):
                self._whole.update(self._of_zeros(each))

    def _of_zeros(self, number: int) -> bytes:
        length = min(self._block_bytes, self._size_bytes - number * self._block_bytes)
        return _ZERO_DIGEST if length == BLOCK_BYTES else hashlib.sha256(ZEROS[:length]).digest()

    def said(self) -> str:
        """In hexadecimal, once all blocks were added."""
        if self._early or self._next * self._block_bytes < self._size_bytes:
            raise ValueError(f"block {self._next} is missing")
        return self._whole.hexdigest()
