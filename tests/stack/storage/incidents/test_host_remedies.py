"""Remedies for what the host lacks: journals, processes and mounts that are really there."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.stack.storage.incidents import host_remedies
from harness.stack.storage.incidents.host_remedies import make_room, mount_for_writing, wake_udev
from harness.stack.storage.mapping.ports import PortFailed
from harness.stack.storage.moves.core import Move, Phase
from harness.stack.storage.moves.journal import line_of
from harness.stack.storage.places import Places
from tests.stack.waiting import eventually

ROOT = Path(__file__).parents[4]
MOVE = Move("m", "/a", "/b")
TWO_DAYS_S = 2 * 86400


def journal(places: Places, name: str, phase: Phase, age_s: float) -> Path:
    """Of a move that came so far, so long ago."""
    path = places.journals / f"{name}.journal"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(line_of(replace(MOVE, id=name, phase=phase)))
    os.utime(path, (time.time() - age_s,) * 2)
    return path


@pytest.mark.promise("S5-26", "S5-88")
def test_room_is_made_of_history_and_of_nothing_else(tmp_path: Path) -> None:
    places = Places(tmp_path / "state", tmp_path / "run")
    old = [journal(places, f"old-{phase.name}", phase, TWO_DAYS_S) for phase in (Phase.DONE, Phase.ROLLED_BACK)]
    kept = [
        journal(places, "fresh", Phase.DONE, 60),
        journal(places, "grace", Phase.GRACE, TWO_DAYS_S),
        journal(places, "left-over", Phase.LEFT_OVER, TWO_DAYS_S),
    ]
    damaged = journal(places, "damaged", Phase.DONE, TWO_DAYS_S)
    damaged.write_bytes(b"nothing\n" + damaged.read_bytes())
    os.utime(damaged, (time.time() - TWO_DAYS_S,) * 2)
    assert "2 journals" in make_room(places)
    assert [one for one in (*old, *kept, damaged) if one.exists()] == [*kept, damaged]
    with pytest.raises(PortFailed, match="make room by hand"):
        make_room(places)


@pytest.fixture
def udevd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Iterator[subprocess.Popen[bytes]]":
    """A process of a name that nobody else has, in the place of udev's."""
    name = f"udevd-{os.getpid()}"
    program = tmp_path / name
    program.write_text("#!/bin/sh\nread line\n")
    program.chmod(0o755)
    monkeypatch.setattr(host_remedies, "UDEV", name)
    with subprocess.Popen([str(program)], stdin=subprocess.PIPE) as process:
        assert eventually(lambda: state_of(process.pid) == "S")
        yield process
        process.kill()


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.promise("S5-26", "S5-88")
def test_udev_that_was_stopped_goes_on(udevd: "subprocess.Popen[bytes]") -> None:
    os.kill(udevd.pid, 19)
    assert eventually(lambda: state_of(udevd.pid) == "T")
    assert wake_udev() == f"process {udevd.pid} goes on"
    assert eventually(lambda: state_of(udevd.pid) == "S")
    with pytest.raises(PortFailed, match="at work"):
        wake_udev()


def test_udev_that_is_gone_is_not_called_back_without_systemd(
    udevd: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    udevd.kill()
    udevd.wait()
    monkeypatch.setattr(host_remedies, "SYSTEMD", tmp_path / "none")
    with pytest.raises(PortFailed, match="runs, and systemd does not"):
        wake_udev()


REMOUNTED = """
import os, subprocess, sys
from pathlib import Path
from harness.stack.storage.incidents.host_remedies import mount_for_writing
point, fstab = sys.argv[1:]
subprocess.run(["mount", "-t", "tmpfs", "-o", "ro,size=64k", "none", point], check=True)
assert os.statvfs(point).f_flag & os.ST_RDONLY
mount_for_writing(point, Path(fstab))
(Path(point) / "written").write_text("x")
"""


@pytest.mark.promise("S5-26", "S5-88")
@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_a_mount_is_written_to_again_where_the_table_of_the_host_says_so(tmp_path: Path) -> None:
    point, fstab = tmp_path / "mnt", tmp_path / "fstab"
    point.mkdir()
    fstab.write_text(f"# a comment\nmfsmount {point} fuse mfsmaster=m 0 0\n")
    inside = [sys.executable, "-c", REMOUNTED, str(point), str(fstab)]
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", *inside],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert not os.path.ismount(point)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("mfsmount /mnt/mfs fuse mfsmaster=m,ro 0 0\n", "read-only: somebody wants it so"),
        ("mfsmount /mnt/other fuse mfsmaster=m 0 0\n", "does not have /mnt/mfs"),
        ("#mfsmount /mnt/mfs fuse defaults 0 0\n", "does not have /mnt/mfs"),
    ],
)
def test_what_somebody_wants_read_only_stays_so(tmp_path: Path, table: str, said: str) -> None:
    fstab = tmp_path / "fstab"
    fstab.write_text(table)
    with pytest.raises(PortFailed, match=said):
        mount_for_writing("/mnt/mfs", fstab)
