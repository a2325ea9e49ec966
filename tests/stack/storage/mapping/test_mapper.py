"""Real volumes as real disks: nbdkit, nbdfuse and loop devices of this host (no kernel NBD: no claim about it)."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.stack.storage.mapping.core.work import Phase
from harness.stack.storage.mapping.drivers.userspace import Userspace
from harness.stack.storage.mapping.mapper import Mapper
from harness.stack.storage.mapping.ports import PortFailed
from harness.stack.storage.mapping.record import Stage
from harness.stack.storage.mapping.records import Records
from harness.stack.storage.places import Places
from harness.stack.storage.pool.core import TROUBLE, Ownership
from tests.stack.waiting import eventually

SIZE_BYTES = 1 << 20


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "state", tmp_path / "run")


@pytest.fixture
def mapper(places: Places) -> Iterator[Mapper]:
    driver = Userspace(places.run)
    if lacking := driver.absent():
        pytest.skip(f"not shown here: {lacking}")
    mapper = Mapper(driver, places, cool_s=0.1)
    yield mapper
    for record in Records(places.mappings).all():
        assert mapper.unmap(Path(record.file)).phase is Phase.DONE
    # While anybody on this host, such as udev, looks into a device, its kernel does not give it up.
    assert eventually(lambda: not any(view.ownership in TROUBLE for view in mapper.views()), every_s=0.1)


def volume(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_bytes(os.urandom(SIZE_BYTES))
    return path


def test_a_volume_becomes_a_disk_and_a_file_again(mapper: Mapper, tmp_path: Path) -> None:
    file = volume(tmp_path, "disk-0")
    before = file.read_bytes()
    work = mapper.map(file)
    assert work.phase is Phase.DONE, work.why
    link = mapper.link(file)
    assert link.is_block_device()
    assert link.read_bytes() == before, "also what the nonce stood in"
    descriptor = os.open(link, os.O_RDWR)
    os.pwrite(descriptor, b"written through the disk".ljust(4096), 0)
    os.fsync(descriptor)
    refused = mapper.unmap(file)
    assert refused.phase is Phase.FAILED
    assert f"(process {os.getpid()})" in refused.why
    os.close(descriptor)
    assert mapper.unmap(file).phase is Phase.DONE
    assert not link.exists()
    assert file.read_bytes()[4096:] == before[4096:]
    assert all(view.ownership is Ownership.FREE for view in mapper.views() if view.facts.serves != "another program")


def test_what_another_host_has_is_proven_without_a_write(mapper: Mapper, tmp_path: Path) -> None:
    written = {}
    for shared in (True, False):
        file = volume(tmp_path, f"disk-{shared}")
        os.utime(file, (1, 1))
        work = mapper.map(file, shared=shared)
        assert work.phase is Phase.DONE, work.why
        assert mapper.link(file).read_bytes() == file.read_bytes()
        written[shared] = file.stat().st_mtime > 1
    assert written == {True: False, False: True}


def test_several_at_once_have_a_device_each(mapper: Mapper, tmp_path: Path) -> None:
    files = [volume(tmp_path, f"disk-{number}") for number in range(4)]
    with ThreadPoolExecutor(4) as threads:
        works = list(threads.map(mapper.map, files))
    assert [work.why for work in works] == [""] * 4
    assert len({work.index for work in works}) == 4
    for file in files:
        assert mapper.link(file).read_bytes() == file.read_bytes()
    again = mapper.map(files[0])
    assert (again.index, again.reused) == (works[0].index, True)


def test_what_somebody_left_who_died_is_cleared_up(mapper: Mapper, places: Places, tmp_path: Path) -> None:
    """The record says PROVING, and the nonce stands in the volume: what it replaced is put back."""
    file = volume(tmp_path, "disk-0")
    before = file.read_bytes()
    assert mapper.map(file).phase is Phase.DONE
    (record,) = Records(places.mappings).all()
    nonce, offset = os.urandom(4096), SIZE_BYTES - 4096
    changed = {"stage": Stage.PROVING, "nonce": nonce, "original": before[offset:], "offset": offset}
    Records(places.mappings).write(type(record)(**{**{n: getattr(record, n) for n in record.__slots__}, **changed}))
    with open(mapper.link(file), "r+b") as disk:
        disk.seek(offset)
        disk.write(nonce)
    assert mapper.unmap(file).phase is Phase.DONE
    assert file.read_bytes() == before


def test_a_server_that_died_is_taken_away_and_another_one_started(
    mapper: Mapper, places: Places, tmp_path: Path
) -> None:
    file = volume(tmp_path, "disk-0")
    work = mapper.map(file)
    server = int((places.run / f"nbdkit-{work.index}.pid").read_text())
    os.kill(server, signal.SIGKILL)
    assert mapper.unmap(file).phase is Phase.DONE
    assert mapper.map(file).phase is Phase.DONE
    assert mapper.link(file).read_bytes() == file.read_bytes()


def test_a_volume_that_somebody_writes_as_a_file_is_not_mapped(mapper: Mapper, places: Places, tmp_path: Path) -> None:
    file = volume(tmp_path, "disk-0")
    with open(file, "r+b"):
        work = mapper.map(file)
        assert work.phase is Phase.FAILED
        assert f"(process {os.getpid()})" in work.why
    assert Records(places.mappings).all() == [], "its index is free again"
    assert mapper.map(file).phase is Phase.DONE


def test_what_cannot_be_a_volume_is_refused_in_one_line(mapper: Mapper, tmp_path: Path) -> None:
    (tmp_path / "odd").write_bytes(b"x" * 5000)
    with pytest.raises(PortFailed, match="has 5000 bytes; a volume has a multiple of 4096"):
        mapper.map(tmp_path / "odd")
    with pytest.raises(PortFailed, match="No such file"):
        mapper.map(tmp_path / "gone")


PROGRAM = """
import os, signal, sys
from pathlib import Path
from harness.stack.storage.mapping.drivers.userspace import Userspace
from harness.stack.storage.mapping.mapper import Mapper
from harness.stack.storage.places import Places
place, die_after, goal = sys.argv[1:]
class Killed(Mapper):
    def _perform(self, work, action, locks):
        answer = super()._perform(work, action, locks)
        if action.act == die_after:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer
places = Places(Path(place) / "state", Path(place) / "run")
mapper = Killed(Userspace(places.run), places, cool_s=0.1)
(mapper.map if goal == "map" else mapper.unmap)(Path(place) / "disk-0")
"""


@pytest.mark.parametrize(
    ("goal", "act"),
    [
        ("map", "write-record"),
        ("map", "attach"),
        ("map", "write-volume"),
        ("map", "write-device"),
        ("map", "publish"),
        ("unmap", "write-record"),
        ("unmap", "detach"),
    ],
)
def test_whoever_maps_is_killed_and_the_next_clears_up(
    mapper: Mapper, places: Places, tmp_path: Path, goal: str, act: str
) -> None:
    file = volume(tmp_path, "disk-0")
    before = file.read_bytes()
    if goal == "unmap":
        assert mapper.map(file).phase is Phase.DONE
    killed = subprocess.run([sys.executable, "-c", PROGRAM, str(tmp_path), act, goal], check=False)
    assert killed.returncode == -signal.SIGKILL
    work = mapper.map(file)
    assert work.phase is Phase.DONE, work.why
    assert mapper.link(file).read_bytes() == before
    assert mapper.unmap(file).phase is Phase.DONE
    assert file.read_bytes() == before
    assert [path.name for path in places.run.glob("nbdkit-*")] == []
