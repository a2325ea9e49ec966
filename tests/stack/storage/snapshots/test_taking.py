"""Snapshots on a file system that has clones, and on one that has none."""

import os
import time
from pathlib import Path

import pytest

from harness.stack.storage.mapping.ports import PortFailed
from harness.stack.storage.mounts import mount_of
from harness.stack.storage.snapshots.core import Policy, Taken
from harness.stack.storage.snapshots.taking import HIDDEN, Snapshots, Wanted, covering


@pytest.mark.promise("S5-72", "S5-73")
def test_what_is_written_later_does_not_change_a_snapshot(with_clones: Path) -> None:
    volume, snapshots = with_clones / "disk@1", Snapshots(with_clones)
    volume.write_bytes(b"before" * 1000)
    assert snapshots.due(Policy()).make == ("disk@1",)
    taken = snapshots.make("disk@1")
    assert snapshots.taken() == (taken,)
    with open(volume, "r+b") as file:
        file.write(b"later!")
    kept = snapshots.into / taken.name
    assert kept.read_bytes() == b"before" * 1000
    assert snapshots.make("disk@1") == taken or len(snapshots.taken()) == 2, "one of the same second is that one"
    assert kept.read_bytes() == b"before" * 1000
    assert (snapshots.into.stat().st_mode & 0o777) == 0o700
    snapshots.drop(taken)
    assert not kept.exists()
    assert volume.read_bytes().startswith(b"later!")


@pytest.mark.promise("S5-72")
def test_what_is_more_than_is_kept_is_due_to_go_and_what_is_not_ours_stays(with_clones: Path) -> None:
    (with_clones / "disk").write_bytes(b"x" * 4096)
    snapshots = Snapshots(with_clones)
    snapshots.make("disk")
    now_s = float(int(time.time()))
    for age in range(1, 5):
        os.link(with_clones / "disk", snapshots.into / Taken("disk", now_s - age * 86400).name)
    (snapshots.into / "somebody's").write_text("x")
    due = snapshots.due(Policy(keep=2))
    assert [one.at_s for one in due.drop] == [now_s - 4 * 86400, now_s - 3 * 86400, now_s - 2 * 86400]
    for one in due.drop:
        snapshots.drop(one)
    assert len(snapshots.taken()) == 2
    assert (snapshots.into / "somebody's").exists()
    (with_clones / "disk").unlink()
    assert Snapshots(with_clones).due(Policy(keep=1)).drop == (), "of a volume that is gone nothing goes"


def test_a_folder_is_not_cloned_and_a_name_leads_nowhere_else(with_clones: Path) -> None:
    (with_clones / "100").mkdir()
    (with_clones / "100/disk").write_bytes(b"x")
    assert Snapshots(with_clones).due(Policy()).make == ()
    with pytest.raises(PortFailed, match="clones files alone"):
        Snapshots(with_clones).make("100")
    for name in ("../images/100", ".", "..", "a/b"):
        with pytest.raises((PortFailed, OSError)):
            Snapshots(with_clones).make(name)
    assert not list(Snapshots(with_clones).into.glob("*"))


def test_where_there_are_no_clones_that_is_said_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "disk").write_bytes(b"x" * 4096)
    snapshots = Snapshots(tmp_path)
    if mount_of(tmp_path.resolve()).kind in ("btrfs", "xfs"):
        pytest.skip("not shown here: the tests' own folder has clones")
    with pytest.raises(PortFailed, match="no snapshots"):
        snapshots.make("disk")
    assert list(snapshots.into.iterdir()) == []


def test_whose_snapshots_a_volume_is_in() -> None:
    wanted = Wanted((Path("/mnt/a"), Path("/mnt/b")))
    assert covering(wanted, Path("/mnt/b/100/disk-0")) == (Snapshots(Path("/mnt/b")), "100")
    assert covering(wanted, Path("/mnt/bb/100")) is None
    assert covering(wanted, Path("/mnt/b")) is None
    assert HIDDEN.startswith("."), "what is hidden is no volume"
