"""The harness's own daemons: started, killed, started again and stopped, without a trace on the host."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer

import pytest

from harness.engines import daemons
from harness.engines.daemons import KINDS, PROGRAMS, Kind, OwnDaemon, chosen_daemon, install, why_not
from harness.engines.lxd import LxdContainers
from harness.errors import HostError, UsageError
from harness.procfs import command_words
from harness.wait import until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="daemons need root")
SOON_S = 30.0
POOLS = "/1.0/storage-pools?recursion=1"


class ThreadingUnixStreamServer(ThreadingMixIn, UnixStreamServer):
    """Not in socketserver before Python 3.12."""

    daemon_threads = True


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """State and cache of this test's own. Paths of sockets have to be short."""
    with tempfile.TemporaryDirectory(prefix="hd-") as directory:
        monkeypatch.setattr(daemons, "STATE", Path(directory) / "run")
        monkeypatch.setenv("HARNESS_CACHE", str(Path(directory) / "cache"))
        for variable in daemons.VARIABLES.values():
            monkeypatch.delenv(variable, raising=False)
        yield Path(directory)


def host() -> tuple[str, str, str, bool]:
    """What of the host a daemon might touch."""
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    rules = subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=False).stdout
    return links, rules, Path("/proc/self/mountinfo").read_text(), Path("/run/containerd").exists()


def needs_installed(kind: Kind) -> None:
    """Skip the test, saying why, where there is no such daemon."""
    if shutil.which(PROGRAMS[kind], path="/usr/sbin:/usr/bin") is None:
        pytest.skip(f"not shown here: {kind} is not installed: harness engine install {kind}")


@contextmanager
def answering(path: Path, answers: dict[str, object]) -> Iterator[None]:
    """Somebody's daemon, as far as it is asked: JSON by HTTP on a UNIX socket."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(answers[self.path]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def address_string(self) -> str:
            return "somebody"

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingUnixStreamServer(str(path), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()


def processes_of(place: Path) -> list[str]:
    """Processes with that directory on their command line."""
    found = []
    for directory in Path("/proc").iterdir():
        if directory.name.isdecimal():
            words = " ".join(command_words(int(directory.name)))
            if str(place) in words:
                found.append(words)
    return found


@pytest.mark.parametrize("kind", KINDS)
async def test_started_killed_started_again_and_stopped(kind: Kind, place: Path) -> None:
    needs_installed(kind)
    before = host()
    own = OwnDaemon(kind)
    assert why_not(kind) == f"{kind} is not running: harness engine start {kind}"
    own.start()
    first = own.process()
    assert first is not None
    assert why_not(kind) is None
    assert chosen_daemon(kind).runs() == set()
    own.start()
    assert own.process() == first
    with pytest.raises(UsageError, match=f"{kind} runs"):
        own.clear()
    assert host() == before
    os.kill(first.pid, signal.SIGKILL)
    await until(lambda: not first.lives(), within_s=SOON_S, what="it is dead")
    own.start()
    assert own.process() not in (None, first)
    own.stop()
    own.stop()
    await until(lambda: not processes_of(place), within_s=SOON_S, what="nothing of it runs")
    own.clear()
    assert not own.data.exists()
    assert host() == before


def test_disks_are_copies_when_the_snapshots_cannot_be_mounted_any_more(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    needs_installed("lxd")
    own = OwnDaemon("lxd")
    own.start()
    try:
        disks = own.data / "disks" / "harness-btrfs.img"
        if not disks.exists():
            pytest.skip(f"not shown here: {capfd.readouterr().err}")
        assert LxdContainers("test", own.daemon).pool == "harness-btrfs"
        own.stop()
        disks.unlink()
        own.start()
        assert "every node's disk is a whole copy" in (said := capfd.readouterr().err)
        assert "its storage pool harness-btrfs is Unavailable" in said
        assert LxdContainers("test", own.daemon).pool == "harness"
    finally:
        own.stop()
        own.clear()


def test_one_that_hangs_is_ended_all_the_same(place: Path) -> None:
    needs_installed("docker")
    own = OwnDaemon("docker")
    own.start()
    process = own.process()
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)
    own.stop()
    assert not process.lives()
    own.start()  # what it left is no hindrance
    own.stop()
    own.clear()


@pytest.mark.parametrize(
    ("kind", "answers", "why"),
    [
        (
            "docker",
            {"/info": {"CgroupDriver": "systemd"}},
            "leaves control groups to systemd; the harness needs one with",
        ),
        ("docker", {"/info": {"CgroupDriver": "cgroupfs"}}, None),
        (
            "lxd",
            {POOLS: {"metadata": [{"name": "default", "driver": "zfs", "status": "Created"}]}},
            "no usable storage",
        ),
        ("lxd", {POOLS: {"metadata": [{"name": "a", "driver": "dir", "status": "Unavailable"}]}}, "lxc storage create"),
        ("lxd", {POOLS: {"metadata": [{"name": "a", "driver": "dir", "status": "Created"}]}}, None),
    ],
)
def test_a_daemon_of_the_users_that_cannot_keep_nodes_is_told_from_one_that_can(
    kind: Kind, answers: dict[str, object], why: str | None, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(daemons.VARIABLES[kind], f"{place}/theirs")
    with answering(place / "theirs", answers):
        found = why_not(kind)
    assert found is None if why is None else found is not None and why in found


def test_a_daemon_that_cannot_start_says_its_last_words(place: Path) -> None:
    needs_installed("docker")
    own = OwnDaemon("docker")
    own.data.mkdir(parents=True)
    (own.data / "data").write_text("no directory")
    with pytest.raises(HostError, match=r"docker ended with exit code 1:\n(?s:.*)canonical path"):
        own.start()
    assert own.process() is None


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_installed_is_said_with_how_to_get_it(
    kind: Kind, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PROGRAMS, kind, "no-such-program")
    assert why_not(kind) == f"{kind} is not installed: harness engine install {kind}; harness engine start {kind}"
    with pytest.raises(HostError, match=f"{kind} is not installed: harness engine install {kind}"):
        OwnDaemon(kind).start()


def test_what_is_installed_is_not_installed_again(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROGRAMS, "docker", "sh")
    said: list[str] = []
    install("docker", said.append)
    assert said == ["docker is installed already"]


def test_a_daemon_of_the_users_is_used_only_by_name(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_DOCKER", f"unix://{place}/other")
    assert chosen_daemon("docker").socket == f"{place}/other"
    assert why_not("docker") == f"nothing answers at $HARNESS_DOCKER ({place}/other)"
