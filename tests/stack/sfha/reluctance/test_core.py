"""When a disk counts as full."""

from harness.stack.sfha.reluctance.core import LEAST_FREE_BYTES, WELL_FROM_BYTES, is_full


def test_what_is_full_has_to_become_well_emptier_before_it_counts_again() -> None:
    free_bytes = [LEAST_FREE_BYTES, LEAST_FREE_BYTES - 1, LEAST_FREE_BYTES, WELL_FROM_BYTES - 1, WELL_FROM_BYTES, 0]
    full, told = False, list[bool]()
    for free in free_bytes:
        told.append(full := is_full(free, was_full=full))
    assert told == [False, True, True, True, False, True]
