"""What `init` and `join` do about a Corosync that runs already: a real process, in the place of the program."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from harness.stack.membership import corosync
from harness.stack.operations.founding import FoundingFailed, refuse_other_corosync, stop_lone_corosync
from tests.stack.vip.kernel_rooms import Room

NODE = "    node {\n        ring0_addr: 10.0.0.1\n        nodeid: 1\n    }\n"


class Machine:
    """A node in a network of its own, and what is said there."""

    def __init__(self, directory: Path) -> None:
        self.room = Room()
        self.program = directory / "corosync"
        shutil.copy("/bin/sleep", self.program)
        self.processes: list[subprocess.Popen[bytes]] = []
        self.said: list[str] = []

    def start_corosync(self, *within: str) -> None:
        command = [*within, str(self.program), "60"]
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


@pytest.mark.parametrize(("nodes", "runs"), [(0, True), (1, True), (2, False)])
def test_one_alone_or_stopped_is_in_nobodys_way(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nodes: int, runs: bool
) -> None:
    configured(machine, tmp_path, monkeypatch, nodes, runs=runs)
    machine.room.call(refuse_other_corosync)


def test_one_with_other_nodes_is_refused_and_goes_on(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured(machine, tmp_path, monkeypatch, 3, runs=True)
    with pytest.raises(FoundingFailed, match=r"3 nodes.*another cluster"):
        machine.room.call(refuse_other_corosync)
    assert machine.runs == [True]


def configured(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nodes: int, *, runs: bool) -> None:
    (tmp_path / "corosync.conf").write_text("nodelist {\n" + nodes * NODE + "}\n")
    monkeypatch.setattr(corosync, "nodes_configured", partial(corosync.nodes_configured, tmp_path))
    if runs:
        machine.start_corosync()
