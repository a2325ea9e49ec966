"""Maps at once are counted: two volumes with one device, a device with something else, and maps that are refused."""

from pathlib import Path

import pytest

from harness.bench import storage_parallel
from harness.bench.storage_maps import driver_here
from harness.bench.storage_parallel import LISTED, MANY, Counted, collisions
from harness.bench.storage_program import Failed


def say(_: str) -> None:
    pass


def made(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_one_device_for_two_and_a_device_with_something_else_are_collisions(tmp_path: Path) -> None:
    one, other, third = (made(tmp_path, name, name.encode()) for name in ("one", "other", "third"))
    own = {path: str(made(tmp_path, f"device-of-{path.name}", path.read_bytes())) for path in (one, other, third)}
    assert collisions(own) == 0
    assert collisions({**own, other: own[one]}) == 2
    assert collisions({**own, other: str(made(tmp_path, "wrong", b"else"))}) == 1
    assert collisions({**own, other: str(tmp_path / "cannot be read")}) == 1


def test_what_is_refused_is_counted_and_said() -> None:
    counted = Counted()
    said = storage_parallel._at_once([["echo", "well"], ["sh", "-c", "echo no room >&2; exit 1"]], counted)
    assert said == ["well\n", ""]
    assert counted.figure("maps").remark == f"{MANY} maps: 0 collided, 1 refused (no room)"


def test_what_mfsbdev_lists_is_read() -> None:
    said = "file: /a b ; device: /dev/nbd0 ; link: /dev/mfs/x ; bdevsize: 4\nfile: /c ; device: /dev/nbd0 ; link: y\n"
    assert [row.groups() for row in LISTED.finditer(said)] == [("/a b", "/dev/nbd0"), ("/c", "/dev/nbd0")]


@pytest.mark.parametrize(("gives", "collided"), [("own", 0), ("one for all", MANY)])
def test_rounds_are_counted_whoever_maps(
    gives: str, collided: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mapper here is echo: it says that a device is the volume itself, or the first volume."""

    def mapper(_places: Path, _verb: str, volume: Path, *_: str) -> list[object]:
        return ["echo", f"link -> {volume if gives == 'own' else volume.with_name('disk-0')} (mapped)"]

    monkeypatch.setattr(storage_parallel, "ours", mapper)
    monkeypatch.setattr(storage_parallel, "driver_here", lambda: ("echo", ""))
    figure = storage_parallel.measured(2, tmp_path, say)[0]
    assert len(figure.values_s) == 2
    assert figure.remark == f"{2 * MANY} maps: {2 * collided} collided, 0 refused"


def test_what_cannot_be_let_go_ends_the_measurement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_parallel, "ours", lambda _places, verb, *_: ["test", verb, "=", "map"])
    monkeypatch.setattr(storage_parallel, "driver_here", lambda: ("test", ""))
    with pytest.raises(Failed, match="16 of 16 volumes cannot be let go"):
        storage_parallel.measured(1, tmp_path, say)


def test_volumes_are_mapped_at_once(tmp_path: Path) -> None:
    if why := driver_here()[1]:
        pytest.skip(why)
    ours, stock = storage_parallel.measured(1, tmp_path, say)
    assert len(ours.values_s) == 1
    assert ours.remark.startswith(f"{MANY} maps: 0 collided")
    assert stock.values_s or stock.remark.startswith("not shown here")
    assert not (tmp_path / "parallel").exists()
