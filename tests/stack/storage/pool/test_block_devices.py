"""What the kernel says, read from a tree like sysfs's."""

from pathlib import Path

from harness.stack.storage.pool.block_devices import devices, facts_of
from harness.stack.storage.pool.core import unquiet


def sysfs(root: Path, name: str, **files: str) -> None:
    (root / name / "holders").mkdir(parents=True)
    for file, text in files.items():
        (root / name / file).write_text(text + "\n")


def test_a_device_that_is_served(tmp_path: Path) -> None:
    sysfs(tmp_path, "nbd3", pid="4711", size="2048", inflight="       1        2", dev="999:3")
    (tmp_path / "nbd3" / "holders" / "dm-0").mkdir()
    facts = facts_of("nbd3", "/mnt/a", tmp_path)
    assert (facts.server_pid, facts.size_bytes, facts.in_flight) == (4711, 1 << 20, 3)
    assert facts.holders == ("dm-0",)
    assert facts.serves == "/mnt/a"


def test_a_device_that_is_quiet_and_one_that_is_not_there(tmp_path: Path) -> None:
    sysfs(tmp_path, "nbd0", size="0", inflight="0 0", dev="999:0")
    assert unquiet(facts_of("nbd0", None, tmp_path)) == ()
    assert unquiet(facts_of("nbd9", None, tmp_path)) == ()


def test_the_pool_is_what_there_is(tmp_path: Path) -> None:
    for name in ("nbd0", "nbd10", "nbd2", "nbd2p1", "sda"):
        sysfs(tmp_path, name)
    assert devices(tmp_path, "nbd") == (0, 2, 10)
