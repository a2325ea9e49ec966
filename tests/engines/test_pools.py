"""Where LXD's disks are: a pool of snapshots if the host can, and if not the reason is said."""

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


def test_devices_are_found_by_the_files_behind_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, file in (("loop0", "/cache/lxd/disks/a.img"), ("loop1", "/cache/lxd-not/b.img"), ("loop2", "")):
        (tmp_path / name).mkdir()
        if file:
            (tmp_path / name / "loop").mkdir()
            (tmp_path / name / "loop/backing_file").write_text(f"{file}\n")
    monkeypatch.setattr(pools, "_LOOP_DEVICES", tmp_path)
    assert attached(Path("/cache/lxd")) == ("loop0",)
    assert attached(Path("/elsewhere")) == ()
