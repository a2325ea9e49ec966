"""Real processes are ended when their lease is over, not before; by a guard that its starter does not take along."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.stack.multisite.agent import guard
from harness.stack.multisite.agent.guard import Guard, is_guarded, locked
from harness.stack.multisite.agent.leases import Leases, now_s

SOON_S = 0.6


class Docker:
    """Says which process a container is."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def pid(self, name: str) -> int | None:
        return self._process.pid if name == "lock-1" and self._process.poll() is None else None


@pytest.fixture
def process() -> Iterator["subprocess.Popen[bytes]"]:
    one = subprocess.Popen(["sleep", "60"])
    yield one
    one.kill()
    one.wait()


class Watching(Guard):
    """In a thread of the test."""

    def __enter__(self) -> "Watching":
        self._thread = threading.Thread(target=self.watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def nothing(event: str, **fields: object) -> None:
    """A log that nobody reads."""


def test_it_ends_when_its_lease_does(tmp_path: Path, process: "subprocess.Popen[bytes]") -> None:
    leases = Leases(tmp_path / guard.FOLDER)
    until_s = now_s() + SOON_S
    leases.renew("lock-1", until_s)
    with Watching(tmp_path, Docker(process), nothing):
        assert process.wait(timeout=10) == -signal.SIGKILL
    assert now_s() >= until_s


def test_it_lives_while_its_lease_is_renewed(tmp_path: Path, process: "subprocess.Popen[bytes]") -> None:
    leases = Leases(tmp_path / guard.FOLDER)
    begun_s = now_s()
    leases.renew("lock-1", begun_s + SOON_S)
    with Watching(tmp_path, Docker(process), nothing):
        while now_s() < begun_s + 2 * SOON_S:
            leases.renew("lock-1", now_s() + SOON_S)
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(timeout=SOON_S / 4)
        # Whoever has no lease any more has nobody who would end it later: it ends with the guard.
    assert process.wait(timeout=10) == -signal.SIGKILL


def test_a_lease_that_cannot_be_read_is_over(tmp_path: Path) -> None:
    leases = Leases(tmp_path)
    (tmp_path / "x.lease").write_text("")
    leases.renew("y", 5.5)
    assert leases.all() == {"x": 0.0, "y": 5.5}
    leases.only(["y"])
    assert leases.all() == {"y": 5.5}


def test_there_is_one_guard_and_it_outlives_who_started_it(tmp_path: Path) -> None:
    script = (
        f"from pathlib import Path; from {guard.__name__} import start;"
        f"start(Path({str(tmp_path)!r}), 'unix:///nowhere/docker.sock')"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[4])
    deadline_s = now_s() + 30
    while not is_guarded(tmp_path):
        assert now_s() < deadline_s
    assert locked(tmp_path) is None
    [pid] = [
        int(path.name)
        for path in Path("/proc").glob("[0-9]*")
        if str(tmp_path).encode() in _command(path) and b"guard" in _command(path)
    ]
    os.kill(pid, signal.SIGTERM)
    while is_guarded(tmp_path):
        assert now_s() < deadline_s


def _command(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""
