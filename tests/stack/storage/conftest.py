"""A file system that has clones, for tests of snapshots."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def with_clones(tmp_path: Path) -> Iterator[Path]:
    """A folder on a btrfs of its own."""
    if os.geteuid() or shutil.which("mkfs.btrfs") is None:
        pytest.skip("not shown here: a file system with clones needs root and mkfs.btrfs")
    image, point = tmp_path / "btrfs.img", tmp_path / "btrfs"
    with open(image, "wb") as file:
        file.truncate(160 << 20)
    point.mkdir()
    subprocess.run(["mkfs.btrfs", "-q", str(image)], check=True, capture_output=True)
    mounted = subprocess.run(["mount", "-o", "loop", str(image), str(point)], check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip(f"not shown here: {mounted.stderr.decode().strip()}")
    try:
        folder = point / "images"
        folder.mkdir()
        yield folder
    finally:
        subprocess.run(["umount", str(point)], check=True)
