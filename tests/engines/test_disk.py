"""A node's disk is for all its users, whatever the umask of whoever makes it."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.engines.disk import BOOT_FILE, Disk
from harness.engines.engine import NodeDefinition, NodeFile
from harness.images.program_layer import ensure_program_layer
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
    shutil.rmtree(directory)


OF_THE_IMAGE = ("/", "/usr", "/usr/bin", "/usr/lib", "/etc")
OURS = ("/usr/lib/sfha", "/usr/lib/harness-node", "/etc/fresh")


def closed_to_others() -> list[str]:
    """What not everybody can read, or look into, below the present root."""
    paths = [*map(Path, OF_THE_IMAGE + OURS), *(below for name in OURS for below in Path(name).rglob("*"))]
    modes = {path: path.stat().st_mode for path in paths}
    return [
        f"{path} {mode:o}"
        for path, mode in modes.items()
        if not mode & stat.S_IROTH or (stat.S_ISDIR(mode) and not mode & stat.S_IXOTH)
    ]


@pytest.mark.usefixtures("umask")
def test_everybody_can_use_it(node_image: Path, place: Path) -> None:
    definition = NodeDefinition("n1", node_image, layers=(ensure_program_layer(node_image, "sfha"),))
    disk = Disk.of(definition, place / "n1", place / "root")
    disk.create((NodeFile("/etc/fresh/deep/file", b"x"),))
    assert disk.reading(closed_to_others) == []
    disk.writing(lambda: Path("/etc/fresh/more").mkdir())
    disk.wipe()
    assert disk.reading(closed_to_others) == []
    assert disk.reading(Path(BOOT_FILE.path).read_bytes) == BOOT_FILE.content
