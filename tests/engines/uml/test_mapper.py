"""What a disk is made of, piece by piece."""

from hypothesis import given
from hypothesis import strategies as st

from harness.engines.uml.guest.mapper import BELOW, table

SECTORS = 1000
extents = st.tuples(st.integers(0, SECTORS - 1), st.integers(1, 50)).map(
    lambda one: (one[0] * 512, min(one[1], SECTORS - one[0]) * 512)
)


def test_a_disk_with_nothing_wrong_is_one_piece() -> None:
    assert table(SECTORS, None, []) == [(0, SECTORS, "linear", f"{BELOW} 0")]


def test_what_is_bad_is_so_on_a_slow_disk_too() -> None:
    assert table(SECTORS, (5, 7), [(4096, 512)]) == [
        (0, 8, "delay", f"{BELOW} 0 5 {BELOW} 0 7"),
        (8, 1, "error", ""),
        (9, SECTORS - 9, "delay", f"{BELOW} 9 5 {BELOW} 9 7"),
    ]


@given(st.lists(extents, max_size=8))
def test_the_pieces_are_the_whole_disk_and_bad_where_they_should_be(bad: list[tuple[int, int]]) -> None:
    lines = table(SECTORS, None, bad)
    assert [begin for begin, *_ in lines] == [0, *(begin + length for begin, length, *_ in lines)][: len(lines)]
    assert sum(length for _, length, *_ in lines) == SECTORS
    wanted = {sector for at, length in bad for sector in range(at // 512, (at + length) // 512)}
    found = {sector for begin, length, kind, _ in lines if kind == "error" for sector in range(begin, begin + length)}
    assert found == wanted
    assert all(told == f"{BELOW} {begin}" for begin, _, kind, told in lines if kind == "linear")
