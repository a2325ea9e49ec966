"""What servers say of their devices, and what is made of an answer that makes no sense."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stack.dataservices.cleanup.core import Seen
from harness.stack.dataservices.cleanup.looking import read_look

FSTAB = "UUID=1 / ext4 defaults 0 1\n# é\n"
TABLE = ("fstab 644 root:root", f"table {base64.b64encode(FSTAB.encode()).decode()}")


def test_an_answer_is_read() -> None:
    looked = read_look(
        (
            *("0 exists", "0 mounted /srv/a\\040b", "0 mounted /mnt", "0 holder dm-0", "0 looked"),
            *("1 exists", "1 partition sdb1", "1 system", "same 1 UUID=1", "same 1 /dev/sdb", "1 looked", "2 looked"),
            *TABLE,
        ),
        3,
    )
    assert looked is not None
    assert looked.seen == (
        Seen(exists=True, mounted_at=("/srv/a b", "/mnt"), holders=("dm-0",)),
        Seen(exists=True, partitions=("sdb1",), carries_system=True),
        Seen(exists=False),
    )
    assert (looked.fstab, looked.mode, looked.owner) == (FSTAB, 0o644, "root:root")
    assert looked.same == {(1, "UUID=1"), (1, "/dev/sdb")}


@pytest.mark.parametrize("left_out", range(4))
def test_an_answer_that_breaks_off_is_none(left_out: int) -> None:
    lines = ["0 exists", "0 looked", *TABLE]
    assert read_look(lines, 1) is not None
    if left_out:
        del lines[left_out]
        assert read_look(lines, 1) is None


WORDS = st.sampled_from(
    ["0", "1", "²", "fstab", "table", "same", "exists", "looked", "644", "9", "VVVJ", "=", " ", "é"]
)


@given(st.lists(st.lists(WORDS, max_size=4).map(" ".join), max_size=8))
def test_anything_else_is_no_answer(lines: list[str]) -> None:
    looked = read_look(lines, 1)
    whole = "0 looked" in lines and any(line.startswith("table ") for line in lines)
    assert looked is None or whole
