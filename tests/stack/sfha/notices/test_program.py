"""Calling a program that exists: what it is given, how it ends, and that one call about a node waits for another."""

import os
import subprocess
import threading
import time
from pathlib import Path

import pytest

from harness.stack.sfha.notices.program import NoticeFailed, Program


@pytest.fixture
def rooms(tmp_path: Path) -> Program:
    return Program(tmp_path / "run" / "notices")


def program(tmp_path: Path, script: str) -> str:
    path = tmp_path / "program"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_it_is_given_word_and_name_and_its_last_line_is_told(rooms: Program, tmp_path: Path) -> None:
    asked = program(tmp_path, 'echo one; echo "$#: $1 $2 in $PWD" >&2')
    assert rooms.call(asked, "fenced", "n1", 5.0) == "2: fenced n1 in /"
    assert rooms.call(program(tmp_path, "true"), "returned", "n1", 5.0) == ""


def test_a_failure_is_one_printable_line(rooms: Program, tmp_path: Path) -> None:
    failing = program(tmp_path, r"printf 'before\nno \033[1m route\n'; exit 3")
    with pytest.raises(NoticeFailed) as failed:
        rooms.call(failing, "fenced", "n1", 5.0)
    assert str(failed.value) == f"{failing} fenced n1: 'no \\x1b[1m route'"
    with pytest.raises(NoticeFailed, match="exit code 4"):
        rooms.call(program(tmp_path, "exit 4"), "fenced", "n1", 5.0)


def test_a_program_that_is_not_there(rooms: Program, tmp_path: Path) -> None:
    with pytest.raises(NoticeFailed, match="/nowhere cannot be executed: No such file"):
        rooms.call("/nowhere", "fenced", "n1", 5.0)


def test_what_does_not_end_is_killed_with_all_that_it_has_started(rooms: Program, tmp_path: Path) -> None:
    alive = tmp_path / "alive"
    hanging = program(tmp_path, f"(trap '' TERM; while :; do echo >{alive}; done) & wait")
    with pytest.raises(NoticeFailed, match=r"no end within 0\.5 s"):
        rooms.call(hanging, "fenced", "n1", 0.5)
    # Whoever is left would hold its lock.
    assert rooms.call(program(tmp_path, "echo free"), "returned", "n1", 5.0) == "free"
    assert alive.exists()


def test_a_call_waits_for_what_an_earlier_daemon_left_behind(rooms: Program, tmp_path: Path) -> None:
    """It has the file of that node as its output, and so its lock, until its last process has ended."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    leaving = program(tmp_path, f"(read _ <{fifo}) & echo left")
    assert rooms.call(leaving, "fenced", "n1", 5.0) == "left"
    told = program(tmp_path, "echo told")
    with pytest.raises(NoticeFailed, match="what an earlier call has started has not ended yet"):
        rooms.call(told, "returned", "n1", 0.1)
    assert rooms.call(told, "returned", "n3", 5.0) == "told"
    fifo.write_text("end\n")
    assert rooms.call(told, "returned", "n1", 5.0) == "told"


def test_the_end_of_the_daemon_ends_what_is_under_way(rooms: Program, tmp_path: Path) -> None:
    begun, failures = tmp_path / "begun", list[str]()

    def call() -> None:
        try:
            rooms.call(program(tmp_path, f"echo >{begun}; sleep 600"), "fenced", "n1", 600.0)
        except NoticeFailed as error:
            failures.append(str(error))

    thread = threading.Thread(target=call)
    thread.start()
    until_s = time.monotonic() + 10.0
    while not begun.exists() and time.monotonic() < until_s:
        time.sleep(0.01)
    rooms.end()
    thread.join(10.0)
    assert failures == [f"{tmp_path / 'program'} fenced n1: exit code -9"]
    with pytest.raises(NoticeFailed, match="the daemon is stopping"):
        rooms.call("/bin/true", "fenced", "n1", 5.0)


def test_a_link_in_the_place_of_its_file_is_not_followed(rooms: Program, tmp_path: Path) -> None:
    folder, other = tmp_path / "run" / "notices", tmp_path / "other"
    folder.mkdir(parents=True)
    other.write_text("kept")
    (folder / "of-n1").symlink_to(other)
    with pytest.raises(NoticeFailed, match="of-n1"):
        rooms.call("/bin/true", "fenced", "n1", 5.0)
    assert other.read_text() == "kept"


def test_a_name_is_a_file_of_that_folder_whatever_it_is(rooms: Program, tmp_path: Path) -> None:
    assert rooms.call(program(tmp_path, 'echo "$2"'), "fenced", "../../n1", 5.0) == "../../n1"
    assert subprocess.run(["ls", str(tmp_path)], capture_output=True, text=True, check=True).stdout == "program\nrun\n"
