"""A node's disk is for all its users, whatever the umask of whoever makes it."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.engines.disk import BOOT_FILE, Disk
from harness.engines.engine import NodeDefinition, NodeFile
from harness.images import ensure_stack_layer
from harness.rundir import disks_root

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")


@pytest.fixture(params=[0o077, 0o027, 0o022])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """Where overlayfs can write."""
    directory = disks_root() / f"test-disk-{os.getpid()}"
    yield directory
    for path in sorted(directory.rglob("work"), reverse=True):
        path.chmod(0o700)
    os.system(f"rm -rf '{directory}'")


def closed_to_others() -> list[str]:
    """Directories and files below the present root, the image's own rooms apart, that not everybody can read."""
    found = []
    for name in ("/", "/usr", "/usr/bin", "/usr/lib", "/usr/lib/sfha", "/usr/lib/harness-node", "/etc", "/etc/fresh"):
        paths = [Path(name), *(Path(name).rglob("*") if "sfha" in name or "harness" in name or "fresh" in name else ())]
        for path in paths:
            mode = path.stat().st_mode
            needed = 0o005 if stat.S_ISDIR(mode) else 0o004
            if path.exists() and mode & needed != needed:
                found.append(f"{path} {mode:o}")
    return found


@pytest.mark.usefixtures("umask")
def test_everybody_can_use_it(node_image: Path, place: Path) -> None:
    definition = NodeDefinition("n1", node_image, layers=(ensure_stack_layer(node_image),))
    disk = Disk.of(definition, place / "n1", place / "root")
    disk.create((NodeFile("/etc/fresh/deep/file", b"x"),))
    assert disk.reading(closed_to_others) == []
    disk.writing(lambda: Path("/etc/fresh/more").mkdir())
    disk.wipe()
    assert disk.reading(closed_to_others) == []
    assert disk.reading(Path(BOOT_FILE.path).read_bytes) == BOOT_FILE.content
