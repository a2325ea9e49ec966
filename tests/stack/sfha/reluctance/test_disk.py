"""A file system without room, of which there are real ones where this runs as root."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.stack.sfha.reluctance.core import LEAST_FREE_BYTES, WELL_FROM_BYTES
from harness.stack.sfha.reluctance.disk import Disk

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A tmpfs with room enough and few inodes."""
    options = f"size={WELL_FROM_BYTES + LEAST_FREE_BYTES},nr_inodes=20"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", tmp_path], check=True)
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


@needs_root
def test_it_is_full_from_the_least_on_and_well_again_with_more(mounted: Path) -> None:
    disk = Disk([mounted])
    assert not disk.look()
    (mounted / "log").write_bytes(bytes(WELL_FROM_BYTES + 1))
    assert disk.look()
    os.truncate(mounted / "log", WELL_FROM_BYTES - (1 << 20))
    assert disk.look(), "a little more than the least is not yet well"
    (mounted / "log").unlink()
    assert not disk.look()


@needs_root
def test_without_inodes_there_is_no_room(mounted: Path) -> None:
    disk, number = Disk([mounted]), 0
    while os.statvfs(mounted).f_favail:
        (mounted / str(number)).touch()
        number += 1
    assert disk.look()


@needs_root
def test_on_what_is_read_only_there_is_no_room_and_the_fullest_place_counts(mounted: Path) -> None:
    disk = Disk([Path("/proc"), mounted])
    assert disk.look() is Disk([Path("/proc")]).look()
    subprocess.run(["mount", "-o", "remount,ro", mounted], check=True)
    assert Disk([mounted]).look()


def test_a_place_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    assert not Disk([tmp_path / "nowhere"]).look()
