"""Rates of devices, by what the kernel counts."""

from pathlib import Path

from harness.stack.storage.entries import Entry
from harness.stack.storage.tiering.use import Rates, rate_of

VOLUME = "/mnt/mfs/images/100/disk-0"


def counted(folder: Path, device: str, read_sectors: int, written_sectors: int) -> None:
    """As Documentation/block/stat.rst has it."""
    (folder / device).mkdir(exist_ok=True)
    (folder / device / "stat").write_text(f"  12 0 {read_sectors} 5 7 0 {written_sectors} 9 0 0 0\n")


def test_a_rate_is_of_two_looks_at_the_same_device(tmp_path: Path) -> None:
    rates, mapped = Rates(tmp_path), {VOLUME: "/dev/nbd3"}
    counted(tmp_path, "nbd3", 100, 100)
    assert rates.look(mapped, 10.0) == {}, "of the first look none"
    counted(tmp_path, "nbd3", 300, 100)
    assert rates.look(mapped, 20.0) == {VOLUME: 200 * 512 / 10}
    counted(tmp_path, "nbd3", 1, 1)
    assert rates.look(mapped, 30.0) == {}, "it was attached anew"
    assert rates.look({}, 40.0) == {}
    assert rates.look(mapped, 50.0) == {}
    assert Rates(tmp_path / "none").look(mapped, 1.0) == {}


def test_a_folder_moves_what_all_of_its_volumes_move() -> None:
    rates = {VOLUME: 10.0, VOLUME + "b": 5.0, "/mnt/mfs/images/1000/disk": 100.0}
    folder = Entry(Path("/mnt/mfs/images/100"), True, 1, 0.0, 0.0)
    assert rate_of(folder, rates) == 15.0
    assert rate_of(Entry(Path(VOLUME), False, 1, 0.0, 0.0), rates) == 10.0
