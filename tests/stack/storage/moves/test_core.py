"""The table of moves, digests that do not see holes, and progress in words."""

import errno
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stack.storage.moves.copying import copy, digest_of, pieces
from harness.stack.storage.moves.core import (
    AFTER_A_CRASH,
    COMMITTED,
    ENDS,
    TRANSITIONS,
    WRITTEN,
    Fingerprint,
    Move,
    Phase,
)
from harness.stack.storage.moves.digest import Digest, not_zeros
from harness.stack.storage.moves.journal import line_of, read
from harness.stack.storage.moves.progress import Progress
from tests.stack.storage.moves.simulated_disk import OpenFile

P = Phase


def reachable(start: Phase) -> set[Phase]:
    found, left = set(), [start]
    while left:
        phase = left.pop()
        if phase not in found:
            found.add(phase)
            left += TRANSITIONS[phase].values()
    return found


def test_nothing_leads_back_over_the_commit() -> None:
    assert P.ROLL_BACK not in reachable(P.COMMIT)
    assert P.ROLLED_BACK not in reachable(P.COMMIT)
    assert reachable(P.COMMIT) - COMMITTED == set()


def test_the_source_is_deleted_after_nothing_but_commit_and_grace() -> None:
    before = {phase for phase, row in TRANSITIONS.items() if P.DELETE_SOURCE in row.values()}
    assert before == {P.GRACE}
    assert {phase for phase, row in TRANSITIONS.items() if P.GRACE in row.values()} == {P.COMMIT}
    assert [phase for phase, row in TRANSITIONS.items() if P.COMMIT in row.values()] == [P.PLACE]


def test_after_a_crash_there_is_a_way_on_from_whatever_is_written() -> None:
    assert set(AFTER_A_CRASH) == WRITTEN
    for written, on in AFTER_A_CRASH.items():
        assert (written in COMMITTED) == (on in COMMITTED)
        assert reachable(on) & ENDS


def test_a_record_is_read_as_it_was_written() -> None:
    move = Move(
        "m1", "/a/ü", "/b/x", P.VERIFY, before=Fingerprint(7, 4096, 1), digest="ab", why='a "reason"\nin two lines'
    )
    assert read(line_of(move)) == (move, len(line_of(move)))


@given(
    st.lists(st.sampled_from([b"\0" * 8, b"12345678"]), max_size=40), st.integers(0, 7), st.sampled_from([8, 16, 24])
)
def test_a_digest_says_the_content_wherever_its_holes_are(pieces: list[bytes], more: int, block_bytes: int) -> None:
    content = b"".join(pieces) + b"x" * more

    class WithoutHoles(OpenFile):
        def data(self):  # type: ignore[no-untyped-def]
            yield 0, self.size_bytes

    class Target:
        def __init__(self) -> None:
            self.content = bytearray(len(content))

        def write(self, offset: int, data: memoryview) -> None:
            self.content[offset : offset + len(data)] = data

    target = Target()
    said = copy(OpenFile(content), target, lambda _: None, block_bytes)
    assert bytes(target.content) == content
    assert digest_of(WithoutHoles(content), lambda _: None, block_bytes) == said
    other = bytearray(content + b"\0")
    assert digest_of(OpenFile(bytes(other)), lambda _: None, block_bytes) != said, "the size counts, too"


@given(st.lists(st.tuples(st.integers(1, 3), st.booleans()), max_size=12), st.randoms(use_true_random=False))
def test_a_digest_takes_its_blocks_in_any_order(runs: list[tuple[int, bool]], chance: random.Random) -> None:
    added, number = list[tuple[int, bytes | None, int]](), 0
    for blocks, is_data in runs:
        each = [(number + at, bytes([at]) * 32, 1) for at in range(blocks)] if is_data else [(number, None, blocks)]
        added += each
        number += blocks
    in_order, any_order = (Digest(number * 8, 8) for _ in range(2))
    for one in added:
        in_order.add(*one)
    for one in chance.sample(added, len(added)):
        any_order.add(*one)
    assert any_order.said() == in_order.said()
    if added:
        missing = Digest(number * 8, 8)
        for one in chance.sample(added, len(added) - 1):
            missing.add(*one)
        with pytest.raises(ValueError, match="is missing"):
            missing.said()


@given(st.sets(st.integers(0, 80)), st.integers(1, 9), st.integers(0, 80))
def test_each_block_is_in_one_piece_and_none_with_data_is_called_a_hole(
    data: set[int], block_bytes: int, size_bytes: int
) -> None:
    found = list(pieces(((at, at + 1) for at in sorted(data) if at < size_bytes), size_bytes, block_bytes))
    blocks = [number for one in found for number in range(one.first, one.first + one.blocks)]
    assert blocks == list(range(-(-size_bytes // block_bytes)))
    said = {number for one in found if one.is_data for number in range(one.first, one.first + one.blocks)}
    assert said == {at // block_bytes for at in data if at < size_bytes}


@given(
    st.lists(st.sampled_from([b"\0" * 70, b"\0" * 8, b"12345678", b"\0" * 63 + b"x"]), max_size=40), st.integers(1, 90)
)
def test_what_is_not_zeros_is_all_there_in_whole_grains(parts: list[bytes], grain_bytes: int) -> None:
    content = b"".join(parts)
    found = list(not_zeros(memoryview(content), grain_bytes))
    rebuilt = bytearray(len(content))
    for begin, end in found:
        rebuilt[begin:end] = content[begin:end]
        assert begin % grain_bytes == 0
        assert end % grain_bytes == 0 or end == len(content)
        assert all(any(content[at : at + grain_bytes]) for at in range(begin, end, grain_bytes))
    assert rebuilt == content
    assert all(end < begin for (_, end), (begin, _) in pairwise(found)), "those side by side are one"


def test_what_fails_in_one_thread_ends_all() -> None:
    class Failing(OpenFile):
        def read(self, offset: int, length: int, memory: memoryview) -> None:
            if offset >= 64:
                raise OSError(errno.EIO, "Input/output error")
            super().read(offset, length, memory)

    with pytest.raises(OSError, match="Input/output"):
        digest_of(Failing(b"12345678" * 1000), lambda _: None, 16)


def test_progress_has_a_rate_and_the_time_left() -> None:
    said = Progress("copied", 1 << 30, 4 << 30, 10.0).said()
    assert said == "copied: 25 % (1.0 GiB of 4.0 GiB), 102.4 MiB/s, 30 s left"
    assert Progress("copied", 0, 1 << 20, 0.0).said() == "copied: 0 % (0 B of 1.0 MiB), 0 B/s"
