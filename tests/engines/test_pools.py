"""Where LXD's disks are: a pool of snapshots if the host can, and if not the reason is said."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.engines import pools
from harness.engines.pools import attached, detach, ensure_own_pool
from harness.errors import EngineError
from harness.wait import until


class Lxd:
    """One that can make pools of some drivers."""

    def __init__(self, *able: str) -> None:
        self.able = able
        self.made: list[str] = []

    def make_pool(self, name: str, driver: str, config: Mapping[str, str]) -> None:
        """Note it."""
        if driver not in self.able:
            raise EngineError(f"lxd: no {driver}")
        self.made.append(name)


@pytest.mark.parametrize(
    ("program", "able", "made", "said"),
    [
        ("true", ("btrfs", "dir"), "harness-btrfs", None),
        ("true", ("dir",), "harness", "no btrfs on a loop device here: lxd: no btrfs"),
        ("no-such-program", ("btrfs", "dir"), "harness-btrfs", None),  # it is there already
        ("no-such-program", ("dir",), "harness", "btrfs-progs is not installed: harness engine install lxd"),
    ],
)
def test_snapshots_where_possible_and_copies_else(
    monkeypatch: pytest.MonkeyPatch, program: str, able: tuple[str, ...], made: str, said: str | None
) -> None:
    monkeypatch.setattr(pools, "PROGRAM", program)
    daemon = Lxd(*able)
    assert ensure_own_pool(daemon) == said
    assert daemon.made == [made]


def attach(file: Path) -> str:
    """The name of the loop device that it is behind now."""
    command = ["losetup", "--find", "--show", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"not shown here: no loop device can be had: {done.stderr.strip()}")
    return Path(done.stdout.strip()).name


@pytest.mark.skipif(os.geteuid() != 0 or not Path("/dev/loop-control").exists(), reason="needs root and loop devices")
async def test_devices_are_found_by_the_files_behind_them_and_freed(tmp_path: Path) -> None:
    used, other = tmp_path / "used", tmp_path / "other"
    for directory in (used, other):
        directory.mkdir()
        (directory / "disk.img").write_bytes(bytes(1 << 20))
    device = attach(used / "disk.img")
    try:
        assert attached(used) == (device,)
        assert attached(other) == ()
        detach(other)
        assert attached(used) == (device,)
    finally:
        detach(used)
    # The kernel frees a device as soon as nobody has it open, which udev may have for a moment.
    await until(lambda: not attached(used), within_s=10.0, what=f"{device} is free")
    assert attached(tmp_path / "absent") == ()
