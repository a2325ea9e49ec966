"""The driver without NBD, on real devices."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.stack.storage.mapping.drivers.userspace import Userspace
from harness.stack.storage.mapping.ports import AttachTaken
from harness.stack.storage.mounts import mounts
from harness.stack.storage.open_files import writers_of

INDEX = 15
"""The last of the pool, which others reach last."""


@pytest.fixture
def taken(tmp_path: Path) -> Iterator[Userspace]:
    """A driver whose last device is another program's."""
    driver = Userspace(tmp_path / "run")
    if why := driver.absent() or ("only root may use loop devices" if os.geteuid() else None):
        pytest.skip(f"not shown here: {why}")
    (tmp_path / "other").write_bytes(bytes(8192))
    device = str(driver.device(INDEX))
    subprocess.run(["losetup", device, str(tmp_path / "other")], check=True)
    yield driver
    subprocess.run(["losetup", "-d", device], check=True)


def test_of_a_device_that_another_program_has_taken_nothing_is_left_below_it(taken: Userspace, tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    volume.write_bytes(bytes(8192))
    with pytest.raises(AttachTaken):
        taken.attach(INDEX, volume, ())
    assert writers_of(volume) == []
    assert not [one.point for one in mounts() if tmp_path in one.point.parents]
    assert not [*(tmp_path / "run").iterdir()]
