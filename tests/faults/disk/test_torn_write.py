"""What is left of a file whose end did not get to the disk; the fault itself is in tests/contracts/fault.py."""

import pytest

from harness.faults.disk.torn_write import torn


@pytest.mark.parametrize(
    ("lost_bytes", "zeros", "left"),
    [
        (1, False, b"abcdefg"),
        (3, False, b"abcde"),
        (3, True, b"abcde\0\0\0"),
        (8, False, b"abcd"),
        (8, True, b"abcd\0\0\0\0"),
    ],
)
def test_the_end_is_missing_and_never_more_than_half(lost_bytes: int, zeros: bool, left: bytes) -> None:
    assert torn(b"abcdefgh", lost_bytes, zeros=zeros) == left


def test_of_the_smallest_file_that_can_be_torn_one_byte_is_left() -> None:
    assert torn(b"ab", 512, zeros=False) == b"a"
