"""Each check that can fail on a plain host does so when it should, and not when it should not."""

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.stack.storage.mapping.record import Record, Stage
from harness.stack.storage.mapping.records import Records
from harness.stack.storage.moves.core import Move, Phase
from harness.stack.storage.moves.journal import line_of
from harness.stack.storage.places import Places
from harness.stack.storage.pool.locks import FileLocks
from harness.stack.storage.preflight.checks import EVERY
from harness.stack.storage.preflight.core import Outcome
from harness.stack.storage.preflight.operation import Operation
from harness.stack.storage.preflight.run import run


@pytest.fixture
def operation(tmp_path: Path) -> Operation:
    (tmp_path / "b").mkdir()
    (tmp_path / "disk").write_bytes(b"x" * 8192)
    return Operation(tmp_path / "disk", tmp_path / "b" / "disk", Places(tmp_path / "state", tmp_path / "run"))


BUSY = {"processors-are-free", "disks-are-not-stalled", "target-syncs"}
"""What a busy host may well say, and truly."""


def outcomes(operation: Operation) -> dict[str, Outcome]:
    return {one.check: one.outcome for one in run(EVERY, operation, within_s=20).findings}


@pytest.mark.promise("S5-85")
def test_where_all_is_well_nothing_fails_and_nothing_is_left(operation: Operation, tmp_path: Path) -> None:
    began_s = time.monotonic()
    found = outcomes(operation)
    assert time.monotonic() - began_s < 30
    assert {name for name, one in found.items() if one not in (Outcome.PASSED, Outcome.NOT_CONCERNED)} <= BUSY
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["b", "disk", "moves", "state"]


def mapped(operation: Operation) -> None:
    volume = str(operation.source.resolve())
    Records(operation.places.mappings).write(Record(volume, volume, 3, Stage.MAPPED, "nbd-client", "boot"))


def unfinished(operation: Operation) -> None:
    operation.places.journals.mkdir(parents=True, exist_ok=True)
    move = Move("m1", str(operation.source), "/elsewhere", phase=Phase.COPY)
    (operation.places.journals / "m1.journal").write_bytes(line_of(move))


def locked(operation: Operation) -> None:
    assert FileLocks(operation.places.run).take(f"volume {operation.target.resolve()}")


def writable_for_all(operation: Operation) -> None:
    operation.target.parent.chmod(0o777)


def huge(operation: Operation) -> None:
    os.truncate(operation.source, 1 << 43)


BROKEN: dict[str, Callable[[Operation], object]] = {
    "source-is-a-file": lambda operation: operation.source.unlink(),
    "source-has-one-name": lambda operation: os.link(operation.source, operation.source.with_name("other")),
    "source-is-not-mapped": mapped,
    "target-is-not-there": lambda operation: operation.target.symlink_to("/nowhere"),
    "target-has-a-folder": lambda operation: operation.target.parent.rmdir(),
    "target-folder-is-kept": writable_for_all,
    "no-move-is-unfinished": unfinished,
    "locks-are-free": locked,
    "target-has-room-for-all": huge,
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_check_fails_when_it_should(operation: Operation, name: str) -> None:
    assert outcomes(operation)[name] is Outcome.PASSED
    BROKEN[name](operation)
    assert outcomes(operation)[name] is Outcome.FAILED


def test_a_source_that_is_written_or_under_a_loop(operation: Operation) -> None:
    with open(operation.source, "r+b"):
        assert outcomes(operation)["source-is-not-written"] is Outcome.FAILED
    with open(operation.source, "rb"):
        assert outcomes(operation)["source-is-not-written"] is Outcome.PASSED
    if not Path("/dev/loop-control").exists():
        pytest.skip("not shown here: there are no loop devices")
    loop = subprocess.run(
        ["losetup", "-f", "--show", str(operation.source)], capture_output=True, text=True, check=True
    ).stdout.strip()
    try:
        assert outcomes(operation)["source-is-under-no-loop"] is Outcome.FAILED
    finally:
        subprocess.run(["losetup", "-d", loop], check=True)


def test_what_the_system_is_made_of_is_no_volume(operation: Operation) -> None:
    for source in (Path("/etc/passwd"), Path("/bin/sh"), Path("/etc/../usr/bin/env")):
        assert outcomes(replace(operation, source=source))["source-is-a-file"] is Outcome.FAILED


def test_a_target_in_memory(operation: Operation) -> None:
    """A tmpfs: read only first, then without room, then with a journal that a power cut takes."""
    folder = operation.target.parent
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=True)
    try:
        places = Places(folder / "state", operation.places.run)
        found = outcomes(Operation(operation.source, operation.target, places))
        assert found["target-has-room"] is Outcome.FAILED
        assert found["journal-outlives-a-power-cut"] is Outcome.FAILED
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        found = outcomes(Operation(operation.source, operation.target, places))
        assert found["target-mount-writable"] is Outcome.FAILED
        assert found["target-can-be-placed"] is Outcome.UNKNOWN
    finally:
        subprocess.run(["umount", str(folder)], check=True)
