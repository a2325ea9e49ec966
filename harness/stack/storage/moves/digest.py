"""A digest of a volume's content that does not depend on where its holes are. Pure.

SHA-256 over the SHA-256 of each block of 1 MiB, with the size before: blocks of zeros, most of a sparse disk, cost one
look in a table, whether they are holes in this file system or written.
"""

import hashlib

BLOCK_BYTES = 1 << 20
ZEROS = bytes(BLOCK_BYTES)
_ZERO_DIGEST = hashlib.sha256(ZEROS).digest()


class Digest:
    """Takes the blocks of a volume in order."""

    def __init__(self, size_bytes: int) -> None:
        self._whole = hashlib.sha256(size_bytes.to_bytes(8, "big"))

    def add(self, block: bytes) -> None:
        """The next block, whole but for the last of the volume."""
        self._whole.update(hashlib.sha256(block).digest())

    def add_zeros(self, length: int) -> None:
        """The next block, which is all zeros."""
        self._whole.update(_ZERO_DIGEST if length == BLOCK_BYTES else hashlib.sha256(ZEROS[:length]).digest())

    def said(self) -> str:
        """In hexadecimal."""
        return self._whole.hexdigest()
