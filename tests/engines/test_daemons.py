"""The harness's own daemons: started, killed, started again and stopped, without a trace on the host."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.engines import daemons
from harness.engines.daemons import KINDS, PROGRAMS, Kind, OwnDaemon, chosen_daemon, install, why_not
from harness.engines.lxd import LxdContainers
from harness.errors import HostError, UsageError
from harness.procfs import command_words
from harness.wait import until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="daemons need root")
SOON_S = 30.0


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
    if shutil.which(PROGRAMS[kind], path="/usr/sbin:/usr/bin") is None:
        pytest.skip(f"not shown here: {kind} is not installed: harness engine install {kind}")
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
    if shutil.which("lxd", path="/usr/sbin:/usr/bin") is None:
        pytest.skip("not shown here: lxd is not installed: harness engine install lxd")
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


def test_a_daemon_that_cannot_start_says_its_last_words(place: Path) -> None:
    if shutil.which("dockerd", path="/usr/sbin:/usr/bin") is None:
        pytest.skip("not shown here: docker is not installed: harness engine install docker")
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
