"""What a command has begun is taken back when it fails."""

from pathlib import Path

import pytest

from harness.stack.sfha.admin.undo import Undo


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    there, missing = tmp_path / "there", tmp_path / "missing"
    there.write_bytes(b"before\xff")
    there.chmod(0o640)
    return there, missing


def change(files: tuple[Path, Path]) -> None:
    there, missing = files
    there.unlink()
    there.write_bytes(b"after")
    missing.write_bytes(b"new")


def fail(error: type[BaseException], files: tuple[Path, Path], *, settled: bool = False) -> None:
    with Undo() as undo:
        undo.keep(*files)
        change(files)
        undo.keep(*files)  # the first memory counts
        undo.settled = settled
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_files_are_as_they_were_after_a_failure(files: tuple[Path, Path], error: type[BaseException]) -> None:
    with pytest.raises(error):
        fail(error, files)
    assert files[0].read_bytes() == b"before\xff"
    assert files[0].stat().st_mode & 0o777 == 0o640
    assert not files[1].exists()


def test_files_stay_where_it_was_settled(files: tuple[Path, Path]) -> None:
    with pytest.raises(KeyError):
        fail(KeyError, files, settled=True)
    assert files[1].read_bytes() == b"new"


def test_files_stay_where_it_ended_well(files: tuple[Path, Path]) -> None:
    with Undo() as undo:
        undo.keep(*files)
        change(files)
    assert files[0].read_bytes() == b"after"
