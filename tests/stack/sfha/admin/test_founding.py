"""What `init` and `join` do about a Corosync that runs already: a real process, in the place of the program."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import pytest

from harness.stack.sfha.admin.founding import FoundingFailed, refuse_other_corosync, stop_lone_corosync
from harness.stack.sfha.membership import corosync, survey
from harness.stack.sfha.membership.core import RingNode, Totem, render_corosync_conf
from harness.stack.sfha.membership.logfile import LOG_FILE
from tests.stack.sfha.kernel.kernel_rooms import Room

EXAMPLE = """\
# Please read the corosync.conf.5 manual page
totem {
	version: 2
	cluster_name: debian
	crypto_cipher: none
}
nodelist {
	node {
		# Hostname of the node
		name: node1
		nodeid: 1
		ring0_addr: 127.0.0.1
		#ring1_addr: 192.168.1.1
	}
}
"""
THEIRS = """\
totem {
  version: 2
  cluster_name: prod
}
nodelist {
  node {
    name: a
    ring0_addr: 10.0.0.1
  }
  node {
    name: b
    ring0_addr: 10.0.0.2
  }
  node {
    ring0_addr: 10.0.0.3
  }
}
"""
OURS = render_corosync_conf("demo", [RingNode(1, "n1", "10.90.0.1", 1)], Totem("knet", 300, 360), str(LOG_FILE))
Configured = Callable[..., Path]


class Machine:
    """A node in a network of its own, and what is said there."""

    def __init__(self, directory: Path) -> None:
        self.room = Room()
        self.program = directory / "corosync"
        self.program.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(60)\n")
        self.program.chmod(0o755)
        self.processes: list[subprocess.Popen[bytes]] = []
        self.said: list[str] = []

    def start_corosync(self, *within: str, arguments: Sequence[str] = ()) -> None:
        command = [*within, str(self.program), *arguments]
        process = self.room.call(lambda: subprocess.Popen(command))
        self.processes.append(process)
        while Path(f"/proc/{process.pid}/comm").read_text().strip() != "corosync":
            assert process.poll() is None

    def stop_lone(self) -> None:
        self.room.call(stop_lone_corosync, self.said.append)

    @property
    def runs(self) -> list[bool]:
        return [process.poll() is None for process in self.processes]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    if os.geteuid() != 0:
        pytest.skip("needs root for network namespaces")
    monkeypatch.setattr(corosync, "SYSTEMD", tmp_path / "systemd")
    machine = Machine(tmp_path)
    yield machine
    for process in machine.processes:
        process.kill()
        process.wait()
    machine.room.close()


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configured:
    """Gives a function that puts a corosync.conf, and a key, where Corosync looks for them."""
    directory = tmp_path / "etc"
    directory.mkdir()
    monkeypatch.setattr(corosync, "DIRECTORY", directory)
    monkeypatch.setattr(survey.look, "__defaults__", (directory, tmp_path / "record"))

    def put(conf: str | None, key: bytes | None = None) -> Path:
        if conf is not None:
            (directory / "corosync.conf").write_text(conf)
        if key is not None:
            (directory / "authkey").write_bytes(key)
        return directory / "corosync.conf"

    return put


def systemd_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Have systemd here, and a systemctl that does this."""
    (tmp_path / "systemd").mkdir()
    (tmp_path / "systemctl").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n{script}\n')
    (tmp_path / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")


def test_where_none_runs_nothing_is_done_or_said(machine: Machine) -> None:
    machine.stop_lone()
    assert machine.said == []


def test_one_that_runs_is_stopped_without_systemd(machine: Machine) -> None:
    machine.start_corosync()
    machine.stop_lone()
    assert machine.runs == [False]
    assert machine.said == ["init.corosync-stopped"]


@pytest.mark.parametrize("script", ["exit 5", "exec sleep 1000"], ids=["no such unit", "it hangs"])
def test_one_that_systemd_does_not_stop_is_stopped(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    systemd_says(tmp_path, monkeypatch, script)
    monkeypatch.setattr(corosync, "STOP_TIMEOUT_S", 0.2)
    machine.start_corosync()
    machine.stop_lone()
    assert machine.runs == [False]
    assert (tmp_path / "asked").read_text() == "stop corosync\n"


def test_a_systemd_without_its_command_is_no_obstacle(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "systemd").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path))
    machine.start_corosync()
    machine.stop_lone()
    assert machine.runs == [False]


def test_a_containers_corosync_is_not_the_nodes(machine: Machine) -> None:
    machine.start_corosync("unshare", "--net")
    machine.stop_lone()
    assert machine.runs == [True]
    assert machine.said == []


@pytest.mark.parametrize("runs", [False, True])
def test_the_packages_example_is_nobodys(machine: Machine, configured: Configured, runs: bool) -> None:
    configured(EXAMPLE)
    if runs:
        machine.start_corosync()
    machine.room.call(refuse_other_corosync)


@pytest.mark.parametrize("runs", [False, True])
def test_our_own_left_over_is_in_nobodys_way(machine: Machine, configured: Configured, runs: bool) -> None:
    configured(OURS, b"key")
    if runs:
        machine.start_corosync()
    machine.room.call(refuse_other_corosync)


@pytest.mark.parametrize(
    "conf",
    [
        THEIRS,
        THEIRS.replace("cluster_name: prod", ""),
        "totem {\n  version: 2\n  interface {\n    mcastaddr: 239.0.0.1\n  }\n}\n",
        EXAMPLE.replace("127.0.0.1", "192.0.2.7"),
        EXAMPLE.replace("debian", "prod"),
        "",
    ],
    ids=["three nodes", "no name", "multicast", "example with an address", "example with a name", "empty"],
)
@pytest.mark.parametrize("runs", [False, True])
def test_what_is_of_others_is_refused_and_stays(
    machine: Machine, configured: Configured, conf: str, runs: bool
) -> None:
    file = configured(conf, b"their key")
    if runs:
        machine.start_corosync()
    with pytest.raises(FoundingFailed, match=r"another cluster.*(another machine)"):
        machine.room.call(refuse_other_corosync)
    assert machine.runs == [True] * runs
    assert file.read_text() == conf
    assert file.with_name("authkey").read_bytes() == b"their key"


def test_the_refusal_names_what_was_found(machine: Machine, configured: Configured) -> None:
    file = configured(THEIRS)
    with pytest.raises(FoundingFailed, match=rf"{file}.*prod.*3 nodes: a, b, 10\.0\.0\.3"):
        machine.room.call(refuse_other_corosync)


def test_one_from_another_file_is_refused_and_goes_on(machine: Machine, configured: Configured, tmp_path: Path) -> None:
    configured(EXAMPLE)
    theirs = tmp_path / "theirs.conf"
    theirs.write_text(THEIRS)
    machine.start_corosync(arguments=["-f", "-c", str(theirs)])
    with pytest.raises(FoundingFailed, match=r"theirs\.conf.*prod with 3 nodes"):
        machine.room.call(refuse_other_corosync)
    assert machine.runs == [True]


def test_one_that_was_told_its_file_by_the_environment(
    machine: Machine, configured: Configured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured(EXAMPLE)
    monkeypatch.setenv("COROSYNC_MAIN_CONFIG_FILE", str(tmp_path / "elsewhere.conf"))
    machine.start_corosync()
    with pytest.raises(FoundingFailed, match=r"elsewhere\.conf"):
        machine.room.call(refuse_other_corosync)


@pytest.mark.parametrize("conf", [None, EXAMPLE])
def test_a_key_without_a_file_of_ours_is_somebodys(machine: Machine, configured: Configured, conf: str | None) -> None:
    configured(conf, b"their key")
    with pytest.raises(FoundingFailed, match="authkey is a key of another Corosync"):
        machine.room.call(refuse_other_corosync)


def test_a_key_that_is_not_the_one_we_wrote_is_somebodys(
    machine: Machine, configured: Configured, tmp_path: Path
) -> None:
    configured(OURS, b"their key")
    (tmp_path / "record").write_text(sha256(b"our key").hexdigest() + "\n")
    with pytest.raises(FoundingFailed, match="authkey"):
        machine.room.call(refuse_other_corosync)
    configured(OURS, b"our key")
    machine.room.call(refuse_other_corosync)
