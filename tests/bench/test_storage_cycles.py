"""What a cycle could leave is counted: files, locks, processes and descriptors that are really there."""

import fcntl
import os
import subprocess
from pathlib import Path

import pytest

from harness.bench import storage_cycles
from harness.bench.storage_cycles import counts, lines, told
from harness.bench.storage_maps import driver_here
from harness.bench.storage_program import Failed
from harness.bench.waiting import until
from harness.procfs import command_words


def say(_: str) -> None:
    pass


def test_what_is_left_is_counted(tmp_path: Path) -> None:
    before = counts(os.getpid(), tmp_path)
    with open(tmp_path / "left", "wb") as file, subprocess.Popen(["tail", "-f", file.name]) as process:
        fcntl.flock(file, fcntl.LOCK_EX)
        # In the midst of execve(2) a process has no words yet.
        until(lambda: bool(command_words(process.pid)), "it has its words", within_s=10, every_s=0.01)
        after = counts(os.getpid(), tmp_path)
        process.terminate()
    more = {what: after[what] - before[what] for what in before if after[what] != before[what]}
    assert more == {"descriptors of the process": 1, "locks": 1, "other processes": 1, "files": 1}
    assert told(before, after) == "afterwards: +1 descriptors of the process, +1 locks, +1 other processes, +1 files"
    assert told(before, before) == "nothing is left of them"
    assert lines(before, after, 9)[0] == "| what could be left | after 1 | after 10 |"


@pytest.mark.parametrize(
    ("leak", "remark"),
    [
        ("pass", "nothing is left of them"),
        ("kept.append(open(file))", "afterwards: +3 descriptors of the process"),
        ("Path(folder, str(len(list(Path(folder).iterdir())))).touch()", "afterwards: +3 files"),
    ],
)
def test_what_a_cycle_leaves_is_told(leak: str, remark: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a file: the same records and locks, and no device."""
    leaking = storage_cycles.PROGRAM.replace("for _ in", "kept = []\nfor _ in").replace(
        "    print", f"    {leak}\n    print"
    )
    monkeypatch.setattr(storage_cycles, "PROGRAM", leaking)
    monkeypatch.setattr(storage_cycles, "driver_here", lambda: ("file", ""))
    found = storage_cycles.measured(3, tmp_path, say)
    assert [len(one.values_s) for one in found.figures] == [3]
    assert found.figures[0].remark == remark
    assert len(found.lines) == 10
    assert not (tmp_path / "cycles").exists()


def test_a_volume_is_mapped_and_let_go_again_and_again(tmp_path: Path) -> None:
    if why := driver_here()[1]:
        pytest.skip(why)
    found = storage_cycles.measured(2, tmp_path, say)
    assert [len(one.values_s) for one in found.figures] == [2]
    assert found.figures[0].remark == "nothing is left of them"
    assert not (tmp_path / "cycles").exists()


def test_a_cycle_that_fails_ends_the_measurement(tmp_path: Path) -> None:
    pipe = subprocess.PIPE
    with (
        subprocess.Popen(["true"], stdin=pipe, stdout=pipe, bufsize=0) as process,
        pytest.raises(Failed, match="failed"),
    ):
        storage_cycles._once(process)
