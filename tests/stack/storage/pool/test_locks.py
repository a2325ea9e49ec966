"""Locks on files: of the living, and of the commands that the dead started."""

import subprocess
import sys
from pathlib import Path

from harness.stack.storage.pool.locks import FileLocks


def test_one_holder_at_a_time_and_looking_disturbs_nobody(tmp_path: Path) -> None:
    first, second = FileLocks(tmp_path), FileLocks(tmp_path)
    assert first.take("index 3")
    assert not second.take("index 3")
    assert second.take("volume a/b")
    assert first.held_by_anybody(["index 3", "index 4", "volume a/b"]) == {"index 3", "volume a/b"}
    first.release("index 3")
    assert second.take("index 3")
    second.release_all()
    assert first.held_by_anybody(["index 3", "volume a/b"]) == frozenset()


def test_a_lock_outlives_its_holder_in_the_command_that_he_started(tmp_path: Path) -> None:
    program = (
        "import os, subprocess, sys; from pathlib import Path; from harness.stack.storage.pool.locks import FileLocks\n"
        "locks = FileLocks(Path(sys.argv[1])); assert locks.take('index 3')\n"
        "subprocess.Popen(['cat'], pass_fds=locks.descriptors); os.kill(os.getpid(), 9)"
    )
    holder = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE)
    assert holder.wait(30) == -9
    locks = FileLocks(tmp_path)
    assert not locks.take("index 3"), "the command has not ended yet"
    assert holder.stdin is not None
    holder.stdin.close()
    while not locks.take("index 3"):  # pytest's own limit ends a wait that never does
        pass
    locks.release_all()
