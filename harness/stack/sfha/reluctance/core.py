"""What counts as a reason. Pure."""

LEAST_FREE_BYTES = 32 << 20
WELL_FROM_BYTES = 64 << 20
"""More than what is the least, so that whoever writes and deletes does not take the addresses back and forth."""


def is_full(free_bytes: int, *, was_full: bool) -> bool:
    """Whether so little room on a disk counts as none."""
    return free_bytes < (WELL_FROM_BYTES if was_full else LEAST_FREE_BYTES)
