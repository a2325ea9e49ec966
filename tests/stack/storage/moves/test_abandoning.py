"""Moves with damaged journals: given up where nothing can be lost, wherever they were cut off, and else left alone."""

import os
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.stack.storage.incidents.remedies import Remedies
from harness.stack.storage.moves.abandoning import give_up, move_of
from harness.stack.storage.moves.core import Fingerprint, Move, Phase
from harness.stack.storage.moves.journal import JournalDamaged, line_of, read
from harness.stack.storage.moves.mover import Mover
from harness.stack.storage.moves.plain_files import PlainFiles
from harness.stack.storage.moves.ports import Disk
from harness.stack.storage.moves.running import begin, set_aside, unfinished
from harness.stack.storage.places import Places
from harness.stack.storage.unable import Unable
from tests.stack.storage.moves.crash_points import CONTENT, JOURNAL, OPERATIONS, SOURCE, began, crash_points
from tests.stack.storage.moves.simulated_disk import SimulatedDisk, State

MOVE = Move("m1", "/a/disk", "/b/disk", before=Fingerprint(1, 2, 3))


def damaged(content: bytes, line: int = 1) -> bytes:
    """With a bad record in the middle."""
    lines = content.splitlines(keepends=True)
    lines[line] = lines[line][:20] + bytes([lines[line][20] ^ 1]) + lines[line][21:]
    return b"".join(lines)


def given_up(state: State, how: Callable[[Disk, str, Move], None] = give_up) -> bool:
    """Whether it was; raises AssertionError where something is lost, or left."""
    journal = state.content(JOURNAL) or b""
    if journal.count(b"\n") < 3:
        return False
    state.files[state.names[JOURNAL]] = bytearray(damaged(journal))
    with pytest.raises(JournalDamaged):
        read(bytes(state.files[state.names[JOURNAL]]))
    disk = SimulatedDisk(state)
    before = dict(disk.now.names)
    try:
        how(disk, JOURNAL, move_of(disk.content(JOURNAL)))
    except Unable:
        assert disk.now.names == before, "what it will not do it does not begin"
        return False
    assert set(disk.now.names) == {SOURCE, f"{JOURNAL}.damaged"}
    assert disk.now.content(SOURCE) == CONTENT
    return True


@pytest.mark.parametrize("name", ["a move", "a copy that keeps its source", "a copy that times out"])
def test_wherever_it_was_cut_off_nothing_is_lost_by_giving_up(name: str) -> None:
    medium, _ = began(OPERATIONS[name])
    outcomes = [given_up(state) for _, state in crash_points(medium, random.Random(0))]
    assert outcomes.count(True) > 20
    assert outcomes.count(False) > 20


def without_looking_for_the_target(disk: Disk, journal: str, move: Move) -> None:
    give_up(disk, journal, replace(move, target="/nowhere/disk"))


def without_looking_at_the_source(disk: Disk, journal: str, move: Move) -> None:
    give_up(disk, journal, replace(move, source=JOURNAL, before=disk.fingerprint(JOURNAL)))


@pytest.mark.parametrize("careless", [without_looking_for_the_target, without_looking_at_the_source])
def test_carelessness_is_noticed(careless: Callable[[Disk, str, Move], None]) -> None:
    medium, _ = began(OPERATIONS["a move"])
    with pytest.raises(AssertionError):
        [given_up(state, careless) for _, state in crash_points(medium, random.Random(0))]


def test_records_that_do_not_agree_say_nothing() -> None:
    other = line_of(replace(MOVE, phase=Phase.COPY, source="/a/other"))
    with pytest.raises(Unable, match="do not say which"):
        move_of(line_of(MOVE) + b"bad\n" + other)
    with pytest.raises(Unable, match="do not say which"):
        move_of(b"bad\nbad\n")
    assert move_of(line_of(MOVE) + b"bad\n" + line_of(replace(MOVE, phase=Phase.COPY))).source == "/a/disk"


def volume(tmp_path: Path) -> tuple[Places, Path, Path]:
    places = Places(tmp_path / "state", tmp_path / "run")
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    source = tmp_path / "a/disk"
    source.write_bytes(os.urandom(5000))
    return places, source, tmp_path / "b/disk"


def interrupted(places: Places, source: Path, target: Path, phase: Phase) -> Path:
    """A move that was cut off there, whose journal was damaged then."""

    class CutOff(Mover):
        def _perform(self, move: Move) -> tuple[Move, str]:
            if move.phase is phase:
                raise KeyboardInterrupt
            return super()._perform(move)

    journal = places.journals / "m1.journal"
    with pytest.raises(KeyboardInterrupt):
        CutOff(PlainFiles(), str(journal)).move(Move("m1", str(source), str(target), grace_s=0))
    journal.write_bytes(damaged(journal.read_bytes()))
    return journal


@pytest.mark.promise("S5-26", "S5-88")
def test_a_real_move_is_given_up_and_can_be_done_again(tmp_path: Path) -> None:
    places, source, target = volume(tmp_path)
    content = source.read_bytes()
    journal = interrupted(places, source, target, Phase.VERIFY)
    kept = journal.read_bytes()
    assert len(list(tmp_path.glob("[ab]/.disk*"))) == 2
    assert "the move is given up" in Remedies(places).perform("give up the move", "m1")
    assert list(tmp_path.glob("[ab]/.disk*")) == []
    assert source.read_bytes() == content
    assert list(unfinished(places)) == []
    assert journal.with_name("m1.journal.damaged").read_bytes() == kept
    assert begin(places, source, target, lambda _: None, grace_s=0).phase is Phase.DONE
    assert target.read_bytes() == content
    assert set_aside(places, "m1") == "its journal can be read"


@pytest.mark.parametrize("phase", [Phase.GRACE, Phase.DELETE_SOURCE, Phase.CLEAN_UP])
def test_with_a_target_it_stays_with_a_person(tmp_path: Path, phase: Phase) -> None:
    places, source, target = volume(tmp_path)
    interrupted(places, source, target, phase)
    before = sorted(tmp_path.rglob("[.d]*disk*"))
    with pytest.raises(Unable, match=r"compare it with|only a person knows"):
        set_aside(places, "m1")
    assert sorted(tmp_path.rglob("[.d]*disk*")) == before
    assert len(list(unfinished(places))) == 1


def test_a_source_that_was_written_to_stays_with_a_person(tmp_path: Path) -> None:
    places, source, target = volume(tmp_path)
    interrupted(places, source, target, Phase.VERIFY)
    source.write_bytes(os.urandom(5000))
    with pytest.raises(Unable, match="not there as it was"):
        set_aside(places, "m1")
    assert len(list(tmp_path.glob("[ab]/.disk*"))) == 2
