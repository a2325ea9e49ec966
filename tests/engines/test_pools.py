"""Where LXD's disks are: a pool of snapshots if the host can, and if not the reason is said."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.engines import pools
from harness.engines.pools import attached, ensure_own_pool
from harness.errors import EngineError


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
        ("no-such-program", ("btrfs", "dir"), "harness", "btrfs-progs is not installed: harness engine install lxd"),
    ],
)
def test_snapshots_where_possible_and_copies_else(
    monkeypatch: pytest.MonkeyPatch, program: str, able: tuple[str, ...], made: str, said: str | None
) -> None:
    monkeypatch.setattr(pools, "PROGRAM", program)
    daemon = Lxd(*able)
    assert ensure_own_pool(daemon) == said
    assert daemon.made == [made]


@pytest.mark.skipif(os.geteuid() != 0 or not Path("/dev/loop-control").exists(), reason="needs root and loop devices")
def test_devices_are_found_by_the_files_behind_them(tmp_path: Path) -> None:
    used, other = tmp_path / "used", tmp_path / "other"
    for directory in (used, other):
        directory.mkdir()
        (directory / "disk.img").write_bytes(bytes(1 << 20))
    attach = ["losetup", "--find", "--show", str(used / "disk.img")]
    device = subprocess.run(attach, capture_output=True, text=True, check=True).stdout.strip()
    try:
        assert attached(used) == (Path(device).name,)
        assert attached(other) == ()
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)
    assert attached(used) == ()
    assert attached(tmp_path / "absent") == ()
