"""What is gathered of this host: each part once, an age where it is old, an error where it cannot be seen."""

import os
import subprocess
import threading
import time
from pathlib import Path

import pytest

from harness.stack.storage.places import Places
from harness.stack.storage.preflight import host, looking
from harness.stack.storage.preflight.checks import EVERY
from harness.stack.storage.preflight.core import Outcome
from harness.stack.storage.preflight.looking import Looking
from harness.stack.storage.preflight.operation import Operation
from harness.stack.storage.preflight.run import run
from harness.stack.storage.preflight.sight import Kernel, Moose


@pytest.fixture
def operation(tmp_path: Path) -> Operation:
    (tmp_path / "b").mkdir()
    (tmp_path / "disk").write_bytes(b"x" * 8192)
    return Operation(tmp_path / "disk", tmp_path / "b" / "disk", Places(tmp_path / "state", tmp_path / "run"))


def test_a_part_is_gathered_once_however_many_ask(operation: Operation, monkeypatch: pytest.MonkeyPatch) -> None:
    count = []
    real = host.kernel

    def counted() -> object:
        count.append(1)
        return real()

    monkeypatch.setattr(host, "kernel", counted)
    one = Looking(operation)
    threads = [threading.Thread(target=one.sight, args=(("kernel",),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(count) == 1


def test_every_part_of_this_host_can_be_seen(operation: Operation) -> None:
    sight = Looking(operation).sight(("kernel", "network", "source", "target", "moose", "files", "ours", "tried"))
    assert sight.kernel.threads > 1
    assert sight.kernel.files_most > sight.kernel.files > 0
    assert sight.files.size_bytes == 8192
    assert sight.moose is None
    assert sight.tried.target_folder_syncs


def test_what_is_broken_on_disk_is_seen(operation: Operation) -> None:
    os.link(operation.source, operation.target)
    left = operation.source.with_name(".disk.mfs-move-1.snapshot")
    left.write_text("")
    operation.places.mappings.mkdir(parents=True)
    (operation.places.mappings / "x.json").write_text("{")
    sight = Looking(operation).sight(("files", "ours"))
    assert sight.files.same
    assert sight.files.snapshots_left == (left.name,)
    assert sight.ours.bad_records == (str(operation.places.mappings / "x.json"),)


def test_an_immutable_source_is_seen(operation: Operation) -> None:
    if subprocess.run(["chattr", "+i", str(operation.source)], capture_output=True, check=False).returncode:
        pytest.skip("not shown here: this file system has no attributes")
    try:
        found = {one.check: one.outcome for one in run(EVERY, operation, within_s=20).findings}
        assert found["source-can-be-deleted"] is Outcome.FAILED
    finally:
        subprocess.run(["chattr", "-i", str(operation.source)], check=True)


def test_what_cannot_be_looked_at_is_unknown_for_each_that_needs_it(
    operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> object:
        raise OSError("no /proc here")

    monkeypatch.setattr(host, "kernel", broken)
    found = {one.check: one for one in run(EVERY, operation, within_s=20).findings}
    for name in ("nothing-hangs", "the-kernel-is-well", "source-is-no-swap"):
        assert found[name].outcome is Outcome.UNKNOWN
        assert "no /proc here" in found[name].seen


def test_what_hangs_keeps_the_others_from_nothing(operation: Operation, monkeypatch: pytest.MonkeyPatch) -> None:
    end = threading.Event()

    def hangs() -> object:
        end.wait(60)
        return Kernel()

    monkeypatch.setattr(host, "kernel", hangs)
    try:
        found = {one.check: one.outcome for one in run(EVERY, operation, within_s=3).findings}
    finally:
        end.set()
    assert found["nothing-hangs"] is Outcome.UNKNOWN
    assert found["no-snapshot-is-left"] is Outcome.PASSED


def test_what_a_master_said_a_while_ago_says_its_age(operation: Operation, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def said(_address: str, _port: int) -> Moose:
        asked.append(1)
        return Moose(2, (), ("4.57.5",), {}, 1 << 40, 1 << 39, (), "-")

    address = ("mfsmaster", 9421)
    monkeypatch.setattr(Looking, "_masters", lambda _self: [address])
    monkeypatch.setattr(looking, "_said_by", said)
    monkeypatch.setattr(looking, "_kept", {})
    monkeypatch.setattr(host, "_silent", lambda _masters: ())
    one = run([], operation, within_s=20)
    assert "ago" not in next(each.seen for each in one.findings if each.check == "two-copies-are-possible")
    at_s, found = looking._kept[address]
    looking._kept[address] = at_s - 4, found
    again = run([], operation, within_s=20)
    assert "(4 s ago)" in next(each.seen for each in again.findings if each.check == "two-copies-are-possible")
    looking._kept[address] = time.monotonic() - 60, found
    run([], operation, within_s=20)
    assert len(asked) == 2, "what is too old is asked for again"
