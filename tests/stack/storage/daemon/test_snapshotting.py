"""Snapshots that nobody asked for, as the daemon makes them."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.stack.storage.mapping.record import Record, Stage
from harness.stack.storage.mapping.records import Records
from harness.stack.storage.mounts import mount_of
from harness.stack.storage.places import Places
from harness.stack.storage.snapshots.core import Taken
from harness.stack.storage.snapshots.taking import Snapshots
from tests.stack.storage.daemon.conftest import Running
from tests.stack.waiting import eventually

Make = Callable[..., Running]


def settings(folder: Path) -> str:
    return f"snapshots: {{folders: [{{path: {folder}}}], keep: 2, every_s: 1}}\n"


def audited(daemon: Running, what: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = daemon("GET", "/v1/audit?most=1000")[1]["entries"]
    return [one for one in entries if one["what"] == what]


@pytest.mark.promise("S5-72", "S5-73")
def test_from_level_two_on_by_the_schedule_and_no_more_than_are_kept(new_daemon: Make, with_clones: Path) -> None:
    volume, snapshots = with_clones / "disk", Snapshots(with_clones)
    volume.write_bytes(b"x" * 4096)
    daemon = new_daemon(level=1, more=settings(with_clones))
    daemon.start()
    assert eventually(lambda: daemon("GET", "/v1/snapshots")[1][0]["due"] == ["disk"], every_s=0.1)
    assert snapshots.taken() == (), "the first level only says so"
    daemon("PUT", "/v1/level", {"level": 2, "why": "it has watched long enough"})
    assert eventually(lambda: len(snapshots.taken()) == 1, every_s=0.1)
    assert [one["why"] for one in audited(daemon, "makes a snapshot")] == ["by the schedule"]
    old = [Taken("disk", float(int(time.time())) - days * 86400).name for days in (3, 2, 1)]
    for name in old:
        os.link(volume, snapshots.into / name)
    assert eventually(lambda: len(snapshots.taken()) == 2, every_s=0.1)
    assert not [name for name in old[:2] if (snapshots.into / name).exists()], "the oldest go"
    gone = [one["detail"]["snapshot"] for one in audited(daemon, "deletes a snapshot")]
    assert gone == [str(snapshots.into / name) for name in old[:2]]
    assert eventually(
        lambda: 'mfs_autonomy_snapshots{kind="scheduled"} 2.0' in daemon("GET", "/metrics")[1], every_s=0.1
    )


@pytest.mark.promise("S5-73")
def test_one_before_a_volume_is_mended(new_daemon: Make, with_clones: Path, tmp_path: Path) -> None:
    volume, snapshots = with_clones / "disk", Snapshots(with_clones)
    volume.write_bytes(b"x" * 4096)
    places = Places(tmp_path / "state", tmp_path / "run")
    Records(places.mappings).write(Record(str(volume), str(volume), 3, Stage.MAPPED, "nbd-client", "an earlier boot"))
    daemon = new_daemon(level=3, more=settings(with_clones))
    daemon.start()
    assert eventually(lambda: "before" in [one.kind for one in snapshots.taken()], every_s=0.1)
    whys = [one["why"] for one in audited(daemon, "makes a snapshot")]
    assert "before it is mended" in whys
    order = [one["what"] for one in daemon("GET", "/v1/audit?most=1000")[1]["entries"]]
    assert "mends: lost-in-a-reboot" in order


def test_where_there_can_be_none_that_is_told(new_daemon: Make, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "disk").write_bytes(b"x" * 4096)
    if mount_of(tmp_path.resolve()).kind in ("btrfs", "xfs"):
        pytest.skip("not shown here: the tests' own folder has clones")
    daemon = new_daemon(level=2, more=settings(folder))
    daemon.start()
    assert eventually(
        lambda: [one["summary"] for one in daemon("GET", "/v1/alerts")[1] if one["name"] == "no-snapshot"] != [],
        every_s=0.2,
    )
