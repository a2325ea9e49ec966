"""The disk of a node with a kernel of its own, while the node has no power."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.engines.disk import Disk, write_files
from harness.engines.engine import NodeFile
from harness.engines.uml.disk import KernelDisk, copy_sparse, ensure_empty_medium
from harness.errors import UsageError
from tests.engines.hosted_runs import needs

MEGABYTE = 1 << 20


def test_holes_stay_holes(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    with source.open("wb") as stream:
        stream.write(b"begin")
        stream.seek(64 * MEGABYTE)
        stream.write(b"middle")
        stream.truncate(256 * MEGABYTE)
    copy_sparse(source, target)
    assert target.stat().st_size == 256 * MEGABYTE
    assert target.stat().st_blocks * 512 < MEGABYTE
    with target.open("rb") as stream:
        assert stream.read(5) == b"begin"
        stream.seek(64 * MEGABYTE)
        assert stream.read(7) == b"middle\0"


class TestDiskOfANodeWithoutPower:
    """Needs what makes and mounts disks, but starts no kernel."""

    pytestmark = needs("uml")

    @pytest.fixture
    def disk(self, tmp_path: Path) -> KernelDisk:
        """A small one, with one file of its own."""
        image = tmp_path / "image"
        (image / "usr").mkdir(parents=True)
        (image / "etc").mkdir()
        (image / "etc/given").write_text("image")
        below = Disk(tmp_path / "disks", (image,), tmp_path / "places/root")
        disk = KernelDisk(below, tmp_path / "places")
        disk.create((NodeFile("/etc/own", b"own"),), ensure_empty_medium(tmp_path / "cache"))
        return disk

    def test_costs_little_and_shows_image_and_own_files(self, disk: KernelDisk) -> None:
        assert disk.medium.stat().st_blocks * 512 < 2 * MEGABYTE
        read = disk.using(lambda: (Path("/etc/given").read_text(), Path("/etc/own").read_text()))
        assert read == ("image", "own")

    def test_keeps_what_is_written_until_it_is_blanked(self, disk: KernelDisk, tmp_path: Path) -> None:
        mounts = Path("/proc/self/mountinfo").read_text()
        disk.using(lambda: write_files((NodeFile("/etc/given", b"changed", 0o600),)))
        assert disk.using(Path("/etc/given").read_bytes) == b"changed"
        assert (tmp_path / "image/etc/given").read_text() == "image"
        assert Path("/proc/self/mountinfo").read_text() == mounts
        disk.blank(ensure_empty_medium(tmp_path / "cache"))
        assert disk.using(Path("/etc/given").read_bytes) == b"image"

    def test_what_fails_inside_leaves_nothing_mounted(self, disk: KernelDisk) -> None:
        with pytest.raises(FileNotFoundError):
            disk.using(Path("/etc/absent").read_bytes)
        assert disk.using(Path("/etc/own").read_bytes) == b"own"

    def test_a_place_that_a_kernel_cannot_be_told_of_is_refused(self, disk: KernelDisk, tmp_path: Path) -> None:
        spaced = replace(disk, below=replace(disk.below, directory=tmp_path / "my disks"))
        with pytest.raises(UsageError, match="without spaces"):
            spaced.create((), ensure_empty_medium(tmp_path / "cache"))
