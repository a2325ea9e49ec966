"""Real files: sparse, verified past the page cache, and moved by processes that are killed."""

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.stack.storage.moves.core import Move, Phase
from harness.stack.storage.moves.journal import JournalDamaged, read
from harness.stack.storage.moves.mover import Mover
from harness.stack.storage.moves.plain_files import New, OpenFile, PlainFiles
from harness.stack.storage.moves.progress import Progress

MIB = 1 << 20


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    return tmp_path


def sparse_volume(path: Path) -> str:
    """64 MiB with 5 MiB of data and an odd end; gives its SHA-256."""
    with open(path, "wb") as file:
        file.truncate(64 * MIB + 4096)
        for at_mib, length in ((0, MIB), (7, 3 * MIB), (40, MIB + 77)):
            file.seek(at_mib * MIB)
            file.write(os.urandom(length))
    path.chmod(0o640)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def move_of(place: Path, **others: object) -> Move:
    return Move("m1", str(place / "a/disk"), str(place / "b/disk"), grace_s=0, **others)  # type: ignore[arg-type]


def mover(place: Path, disk: PlainFiles | None = None) -> Mover:
    return Mover(disk or PlainFiles(), str(place / "state/m1.journal"))


def names(place: Path) -> list[str]:
    return sorted(str(path.relative_to(place)) for path in place.glob("[ab]/*"))


@pytest.mark.promise("S5-47")
def test_a_sparse_volume_is_moved_whole_and_stays_sparse(place: Path) -> None:
    digest, reports = sparse_volume(place / "a/disk"), list[Progress]()
    before = (place / "a/disk").stat()
    done = mover(place).move(move_of(place), report=reports.append)
    assert done.phase is Phase.DONE, done.why
    target = place / "b/disk"
    assert names(place) == ["b/disk"]
    assert hashlib.sha256(target.read_bytes()).hexdigest() == digest
    after = target.stat()
    assert (after.st_mode, after.st_size, after.st_mtime_ns) == (before.st_mode, before.st_size, before.st_mtime_ns)
    assert after.st_blocks * 512 < 8 * MIB, "holes stay holes"
    assert {one.what for one in reports} == {"copied", "verified"}
    assert reports[-1].said().startswith("verified: 100 % (64.0 MiB of 64.0 MiB)")


def test_a_volume_with_little_here_and_there_takes_no_more_room_than_before(place: Path) -> None:
    """As one whose guest gave back what it deleted (fstrim(8))."""
    with open(place / "a/disk", "wb") as file:
        file.truncate(32 * MIB)
        for at in range(0, 32 * MIB, MIB):
            os.pwrite(file.fileno(), os.urandom(8192), at + 300_000 // 4096 * 4096)
    before = (place / "a/disk").stat()
    content = (place / "a/disk").read_bytes()
    assert before.st_blocks * 512 < MIB
    assert mover(place).move(move_of(place)).phase is Phase.DONE
    assert (place / "b/disk").read_bytes() == content
    assert (place / "b/disk").stat().st_blocks * 512 <= 32 * (64 << 10) + MIB


@pytest.mark.parametrize("size_bytes", [0, 1, 4095, 4096, 4097, MIB - 1, MIB + 1, 5 * MIB + 77])
def test_whatever_a_file_ends_with_is_moved(place: Path, size_bytes: int) -> None:
    content = os.urandom(size_bytes)
    (place / "a/disk").write_bytes(content)
    assert mover(place).move(move_of(place)).phase is Phase.DONE
    assert (place / "b/disk").read_bytes() == content


def test_nobody_else_may_read_a_target_or_a_snapshot_that_is_not_whole(place: Path) -> None:
    sparse_volume(place / "a/disk")
    (place / "a/disk").chmod(0o600)
    modes = dict[str, int]()

    def looked(_: Progress) -> None:
        modes.update({path.suffix: path.stat().st_mode & 0o777 for path in place.glob("[ab]/.disk*")})

    assert mover(place).move(move_of(place), report=looked).phase is Phase.DONE
    assert modes == {".part": 0o600, ".snapshot": 0o600}


def test_the_source_can_be_kept(place: Path) -> None:
    sparse_volume(place / "a/disk")
    assert mover(place).move(move_of(place, keep_source=True)).phase is Phase.DONE
    assert names(place) == ["a/disk", "b/disk"]


class SilentlyWrong(PlainFiles):
    """A storage that says it wrote what it did not."""

    @contextmanager
    def creating(self, path: str, size_bytes: int, like: str) -> Iterator[New]:
        with super().creating(path, size_bytes, like) as file:
            yield file
            with open(path, "r+b") as spoiled:
                spoiled.seek(8 * MIB)
                spoiled.write(b"wrong")


def test_a_target_that_is_wrong_on_the_medium_is_failed_and_rolled_back(place: Path) -> None:
    digest = sparse_volume(place / "a/disk")
    ended = mover(place, SilentlyWrong()).move(move_of(place))
    assert ended.outcome().startswith("failed and rolled back: the target is not what was read")
    assert names(place) == ["a/disk"]
    assert hashlib.sha256((place / "a/disk").read_bytes()).hexdigest() == digest


class WrittenToLater(PlainFiles):
    """Somebody writes to the target once all of it was read back."""

    @contextmanager
    def reading_medium(self, path: str, *, cached: bool) -> Iterator[OpenFile]:
        with super().reading_medium(path, cached=cached) as file:
            yield file
        with open(path, "r+b") as spoiled:
            spoiled.write(b"wrong")


def test_a_target_that_is_written_to_after_it_was_verified_gets_no_name(place: Path) -> None:
    digest = sparse_volume(place / "a/disk")
    ended = mover(place, WrittenToLater()).move(move_of(place))
    assert ended.outcome().startswith("failed and rolled back: the target was written to by somebody else")
    assert names(place) == ["a/disk"]
    assert hashlib.sha256((place / "a/disk").read_bytes()).hexdigest() == digest


def test_a_source_that_is_written_to_is_never_deleted(place: Path) -> None:
    sparse_volume(place / "a/disk")

    def write(_: float) -> None:
        with open(place / "a/disk", "r+b") as source:
            source.write(b"written in the grace period")

    ended = Mover(PlainFiles(), str(place / "state/m1.journal"), wait=write).move(move_of(place))
    assert ended.phase is Phase.LEFT_OVER
    assert "both are kept" in ended.outcome()
    assert "a/disk" in names(place)
    assert "b/disk" in names(place)


def test_what_is_there_already_is_not_touched(place: Path) -> None:
    sparse_volume(place / "a/disk")
    (place / "b/disk").write_text("somebody's")
    assert mover(place).move(move_of(place)).outcome().startswith("refused, nothing was done")
    assert (place / "b/disk").read_text() == "somebody's"
    assert not (place / "state").exists()


PROGRAM = """
import os, signal, sys
from harness.stack.storage.moves.core import Move
from harness.stack.storage.moves.mover import Mover
from harness.stack.storage.moves.plain_files import PlainFiles
place, die_in = sys.argv[1:]
class Killed(Mover):
    def _perform(self, move):
        done = super()._perform(move)
        if move.phase.value == die_in:
            os.kill(os.getpid(), signal.SIGKILL)
        return done
Killed(PlainFiles(), f"{place}/state/m1.journal").move(Move("m1", f"{place}/a/disk", f"{place}/b/disk", grace_s=0))
"""


@pytest.mark.parametrize(
    "phase", ["snapshot", "copy", "verify", "place", "commit", "grace", "delete source", "clean up"]
)
def test_a_mover_that_is_killed_is_resumed_or_rolled_back(place: Path, phase: str) -> None:
    digest = sparse_volume(place / "a/disk")
    killed = subprocess.run([sys.executable, "-c", PROGRAM, str(place), phase], check=False)
    assert killed.returncode == -signal.SIGKILL
    ended = mover(place).resume()
    assert ended is not None
    early = phase in ("snapshot", "copy")
    assert ended.phase is (Phase.ROLLED_BACK if early else Phase.DONE), ended.outcome()
    assert names(place) == (["a/disk"] if early else ["b/disk"])
    assert hashlib.sha256((place / names(place)[0]).read_bytes()).hexdigest() == digest


@pytest.mark.promise("S5-46")
def test_the_snapshot_has_the_content_until_all_is_done(place: Path) -> None:
    digest = sparse_volume(place / "a/disk")
    subprocess.run([sys.executable, "-c", PROGRAM, str(place), "delete source"], check=False)
    assert not (place / "a/disk").exists()
    move, _ = read((place / "state/m1.journal").read_bytes())
    assert move is not None
    snapshot = Path(move.snapshot)
    assert hashlib.sha256(snapshot.read_bytes()).hexdigest() == digest
    ended = mover(place).resume()
    assert ended is not None
    assert ended.phase is Phase.DONE
    assert not snapshot.exists()


def test_a_torn_last_record_does_not_count_and_a_bad_one_before_it_is_refused(place: Path) -> None:
    sparse_volume(place / "a/disk")
    mover(place).move(move_of(place))
    content = (place / "state/m1.journal").read_bytes()
    lines = content.splitlines(keepends=True)
    whole, bytes_of_it = read(b"".join(lines[:4]) + lines[4][:20])
    assert whole is not None
    assert whole.phase is Phase.VERIFY or whole.phase is Phase.PLACE
    assert bytes_of_it == sum(map(len, lines[:4]))
    with pytest.raises(JournalDamaged, match="in the middle"):
        read(lines[0] + lines[1][:-9] + b"\n" + lines[2])
    assert read(b"") == (None, 0)
