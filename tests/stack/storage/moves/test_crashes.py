"""Moves cut off at every point: a thousand for each kind, and defects that have to be found there."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from harness.stack.storage.moves import mover
from harness.stack.storage.moves.copying import digest_of
from harness.stack.storage.moves.core import TRANSITIONS, Move, Phase, Table
from harness.stack.storage.moves.mover import Mover
from tests.stack.storage.moves.crash_points import (
    CONTENT,
    OPERATIONS,
    Lost,
    Medium,
    enumerate_all,
    enumerate_crashes_of_resuming,
)
from tests.stack.storage.moves.simulated_disk import NewFile, OpenFile

P = Phase
LEAST = 1000


SHORT = {"a snapshot that cannot be made"}
"""Does so little that there are fewer: all there are."""


@pytest.mark.promise("S5-81", "S5-82")
@pytest.mark.parametrize("name", OPERATIONS)
def test_nothing_is_lost_wherever_it_is_cut_off(name: str) -> None:
    counted = enumerate_all(OPERATIONS[name])
    assert sum(counted.values()) >= (LEAST if name not in SHORT else 40)
    assert counted[P.ROLLED_BACK], "some are cut off before the commit"
    if OPERATIONS[name].ends is not P.ROLLED_BACK:
        assert counted[P.DONE], "and some after it"


@pytest.mark.parametrize("name", ["a move", "a copy that times out"])
def test_nothing_is_lost_where_several_threads_copy(name: str) -> None:
    assert sum(enumerate_all(OPERATIONS[name], workers=4).values()) >= LEAST


@pytest.mark.parametrize("name", ["a move", "a clean-up that fails"])
def test_nothing_is_lost_where_resuming_is_cut_off_too(name: str) -> None:
    assert enumerate_crashes_of_resuming(OPERATIONS[name], every=20) >= LEAST


class WrongUnit(Medium):
    """The size of the target is given in KiB where bytes are meant."""

    @contextmanager
    def creating(self, path: str, size_bytes: int, like: str) -> Iterator[NewFile]:
        with super().creating(path, size_bytes // 1024, like) as file:
            yield file


class NoSync(Medium):
    """What is written is never synced."""

    def sync(self, number: int) -> None:
        return


class NoSyncOfFolders(Medium):
    """Names are never synced, but for the journal's."""

    def sync_folder(self, path: str) -> None:
        return


class NoSyncOfTheJournal(Medium):
    """Records are left to the kernel to write when it likes."""

    def append(self, path: str, data: bytes, whole_bytes: int) -> None:
        before = len(self.ops)
        super().append(path, data, whole_bytes)
        self.ops[before:] = [op for op in self.ops[before:] if not op.kind.startswith("sync")]


class FromThePageCache(Medium):
    """What is read back is what was meant to be written."""

    def on_the_medium(self, number: int) -> bytes:
        return bytes(self.now.files[number])


class BeforeItIsWrittenOut(NoSync, FromThePageCache):
    """Verified while it is in memory alone, and never synced."""


def row(phase: Phase, **kinds: Phase) -> Table:
    return {**TRANSITIONS, phase: {**TRANSITIONS[phase], **kinds}}


DEFECTS: dict[str, tuple[str, type[Medium], Table]] = {
    "the source deleted in the block of the clean-up, whose error rolls back after the commit": (
        "a clean-up that fails",
        Medium,
        row(P.CLEAN_UP, failed=P.ROLL_BACK),
    ),
    "an error while deleting rolls back": (
        "a source that cannot be deleted",
        Medium,
        row(P.DELETE_SOURCE, failed=P.ROLL_BACK),
    ),
    "the source deleted when the copy timed out": (
        "a copy that times out",
        Medium,
        row(P.COPY, failed=P.DELETE_SOURCE),
    ),
    "the source deleted before the target is verified": (
        "a copy whose last block is not what was read",
        Medium,
        row(P.COPY, done=P.PLACE),
    ),
    "resize in the wrong unit": ("a move", WrongUnit, TRANSITIONS),
    "resize in the wrong unit, and nobody looks": ("a move", WrongUnit, row(P.COPY, done=P.PLACE)),
    "a target that is not synced, and nobody looks": ("a move", NoSync, row(P.COPY, done=P.PLACE)),
    "a target that is not synced": ("a move", NoSync, TRANSITIONS),
    "verified before it is written out": ("a move", BeforeItIsWrittenOut, TRANSITIONS),
    "verified out of the page cache": ("a copy that is not what was read", FromThePageCache, TRANSITIONS),
    "its last block verified out of the page cache": (
        "a copy whose last half block is not what was read",
        FromThePageCache,
        TRANSITIONS,
    ),
    "names that are not synced": ("a move", NoSyncOfFolders, TRANSITIONS),
    "a journal that is not synced": ("a move", NoSyncOfTheJournal, TRANSITIONS),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_caught(name: str) -> None:
    operation, disk, table = DEFECTS[name]
    with pytest.raises(Lost):
        enumerate_all(OPERATIONS[operation], disk=disk, table=table)


class InParts(OpenFile):
    """Reads all of a target but one part, of which it takes for granted what was to be written."""

    def __init__(self, file: OpenFile, wanted: bytes, part: slice) -> None:
        content = bytearray(file.content)
        content[part] = wanted[part]
        super().__init__(bytes(content))


def but_for(part: slice) -> Callable[..., str]:
    wanted = CONTENT + b"odd"
    return lambda file, *others: digest_of(InParts(file, wanted, part), *others)


def without_looking(self: Mover, _move: Move) -> None:
    return


MISTAKES: dict[str, tuple[str, object, str, object]] = {
    "a hole is not verified": ("a copy with data in a hole", mover, "digest_of", but_for(slice(56, 64))),
    "a block is not verified": ("a copy that loses a block", mover, "digest_of", but_for(slice(0, 16))),
    "the last block is not verified": (
        "a copy whose last half block is not what was read",
        mover,
        "digest_of",
        but_for(slice(len(CONTENT), None)),
    ),
    "a target written to after it was verified gets the name": (
        "a target that somebody writes to",
        Mover,
        "_still_sealed",
        without_looking,
    ),
}
"""In the code of a move -> the operation that shows it, and what is in whose place."""


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    operation, where, what, mistaken = MISTAKES[name]
    monkeypatch.setattr(where, what, mistaken)
    with pytest.raises(Lost):
        enumerate_all(OPERATIONS[operation])


def test_what_is_expected_can_be_missed() -> None:
    with pytest.raises(Lost, match="not cut off"):
        enumerate_all(replace(OPERATIONS["a move"], ends=P.ROLLED_BACK))
