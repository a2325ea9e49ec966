"""Three daemons as processes, each with a state of its own: what one has all know, who is silent is not called well."""

import json
import os
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from harness.stack.storage.cli import main
from harness.stack.storage.mapping.drivers.userspace import Userspace
from harness.stack.storage.mapping.mapper import Mapper
from harness.stack.storage.peers import view
from harness.stack.storage.places import Places
from tests.stack.storage.daemon.conftest import ROOT, Running
from tests.stack.waiting import eventually

NAMES = ("n1", "n2", "n3")
AT_ONCE_S = 1.0
"""Within which a change is known to all."""


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as one:
        return int(one.getsockname()[1])


class Hosts:
    """``three["n1"]`` is a daemon."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = folder / "store"
        self.store.mkdir()
        self.ports = {name: free_port() for name in NAMES}
        assert main.main(["cluster", "key", "--file", str(folder / "key")]) == 0
        self.daemons = {name: self.daemon(name) for name in NAMES}

    def daemon(self, name: str) -> Running:
        """Not started yet."""
        return Running(self.folder / name, more=self.settings(name))

    def settings(self, name: str, key: str = "key", called: str = "") -> str:
        """Of its part in the cluster."""
        peers = [
            f"{{name: {one}, address: '127.0.0.1:{self.ports[one]}'}}" for one in NAMES if one not in (name, called)
        ]
        return (
            f"cluster: {{name: {called or name}, listen: '127.0.0.1:{self.ports[name]}', "
            f"key_file: {self.folder / key}, peers: [{', '.join(peers)}], shared: ['{self.store}']}}\n"
        )

    def __getitem__(self, name: str) -> Running:
        return self.daemons[name]

    def run(self, name: str, *arguments: object) -> "subprocess.CompletedProcess[str]":
        """A command of that host."""
        command = [*self[name].command, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=60)

    def seen(self, by: str, of: str) -> dict[str, Any]:
        """What one host says of another."""
        nodes = self[by]("GET", "/v1/cluster", role="read")[1]["nodes"]
        found: dict[str, Any] = next(one for one in nodes if one["name"] == of)
        return found

    def volumes(self, by: str, of: str) -> list[str]:
        return [Path(one["volume"]).name for one in self.seen(by, of)["volumes"]]

    def known_to_commands(self, by: str, of: str) -> list[str]:
        """The same by the file that commands of that host read."""
        found = view.read(Places(self.folder / by / "state", self.folder / by / "run"))
        assert found is not None
        return [Path(one.volume).name for one in found.known[of].report.volumes]

    def until_all_know(self, of: str, volumes: list[str], within_s: float = AT_ONCE_S) -> float:
        """How long it took."""
        began_s = time.monotonic()
        others = [name for name in NAMES if name != of]
        assert eventually(
            lambda: all(self.volumes(by, of) == volumes for by in others), within_s=within_s, every_s=0.02
        ), [self.seen(by, of) for by in others]
        took_s = time.monotonic() - began_s
        for by in others:
            assert self.known_to_commands(by, of) == volumes, "no later than the daemon says it"
        return took_s


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Hosts]:
    hosts = Hosts(tmp_path)
    for one in hosts.daemons.values():
        one.start()
    assert eventually(
        lambda: all(hosts.seen(by, of)["state"] == "well" for by in NAMES for of in NAMES if by != of), every_s=0.05
    )
    yield hosts
    for one in hosts.daemons.values():
        if one.process is not None:
            one.process.send_signal(signal.SIGCONT)
            one.end(signal.SIGKILL)


def volume(hosts: Hosts, name: str) -> Path:
    path = hosts.store / name
    path.write_bytes(os.urandom(1 << 20))
    return path


@pytest.mark.promise("S5-28", "S5-33")
def test_what_one_has_all_know_within_a_second(three: Hosts) -> None:
    files = [volume(three, f"disk-{number}") for number in range(3)]
    for number, file in enumerate(files):
        assert three.run("n1", "map", file, "--driver", "file").returncode == 0
        three.until_all_know("n1", [one.name for one in files[: number + 1]])
    assert three.run("n1", "unmap", files[0]).returncode == 0
    three.until_all_know("n1", ["disk-1", "disk-2"])
    metrics = str(three["n2"]("GET", "/metrics", role="read")[1])
    assert 'mfs_autonomy_peers{state="well"} 2.0' in metrics
    assert 'mfs_autonomy_peer_age_seconds{peer="n1"}' in metrics
    shown = three.run("n3", "cluster")
    assert shown.returncode == 0, shown
    assert "n1: " + str(files[1]) in shown.stdout


def test_a_move_and_an_incident_are_known_as_well(three: Hosts) -> None:
    (three.store / "new").mkdir()
    asked = {"source": str(volume(three, "disk")), "target": str(three.store / "new"), "grace_s": 30}
    three["n1"]("POST", f"/v1/requests/{three['n1']('POST', '/v1/moves', asked)[1]['id']}/approve", {"why": "agreed"})
    assert eventually(lambda: [one["phase"] for one in three.seen("n2", "n1")["moves"]] == ["grace"], every_s=0.05)
    bad = three.folder / "n1/state/mappings/x.json"
    bad.parent.mkdir(parents=True, exist_ok=True)
    bad.write_text("{")
    assert eventually(
        lambda: "unreadable-record" in [one["name"] for one in three.seen("n3", "n1")["incidents"]], every_s=0.05
    )


@pytest.mark.promise("S5-28")
def test_who_is_silent_is_never_called_well_and_comes_back(three: Hosts) -> None:
    file = volume(three, "disk")
    assert three.run("n1", "map", file, "--driver", "file").returncode == 0
    three.until_all_know("n1", ["disk"])
    process = three["n1"].process
    assert process is not None
    process.send_signal(signal.SIGSTOP)
    stopped_s = time.monotonic()
    assert eventually(lambda: three.seen("n2", "n1")["state"] == "silent", within_s=20, every_s=0.1)
    age_s = three.seen("n2", "n1")["age_s"]
    assert age_s >= 4, "the age is that of what it said, not of what others repeat"
    assert age_s <= time.monotonic() - stopped_s + 2
    assert three.volumes("n2", "n1") == ["disk"], "what it said last is shown with its age"
    shown = three.run("n3", "cluster")
    assert shown.returncode == 1
    assert "silent" in next(line for line in shown.stdout.splitlines() if line.startswith("n1 "))
    mapped = three.run("n2", "map", file, "--driver", "file")
    assert mapped.returncode == 0, "whose host may be dead is wanted elsewhere"
    assert "nobody knows whether it still has" in mapped.stderr
    assert eventually(
        lambda: "silent-peer" in [one["name"] for one in three["n2"]("GET", "/v1/incidents")[1]], every_s=0.1
    )
    process.send_signal(signal.SIGCONT)
    assert eventually(lambda: three.seen("n2", "n1")["state"] == "well", every_s=0.05)
    assert eventually(
        lambda: "mapped-elsewhere" in [one["name"] for one in three["n2"]("GET", "/v1/incidents")[1]], every_s=0.1
    ), "and then both are seen to have it"


def test_a_volume_that_another_host_has_is_refused_but_for_a_migration(three: Hosts) -> None:
    driver = "userspace" if Userspace(three.folder).absent() is None else "file"
    file = volume(three, "disk")
    assert three.run("n1", "map", file, "--driver", driver).returncode == 0
    try:
        three.until_all_know("n1", ["disk"])
        refused = three.run("n2", "map", file, "--driver", driver)
        assert refused.returncode == 1
        assert "n1 has it" in refused.stderr
        assert "declare a migration" in refused.stderr
        own = volume(three, "another")
        assert three.run("n2", "map", own, "--driver", "file").returncode == 0, "only that one is refused"
        asked = three["n2"]("POST", "/v1/volumes/map", {"file": str(file), "driver": "file"})[1]
        assert eventually(lambda: three["n2"].state_of(asked["id"]) == "failed", every_s=0.05)
        assert "n1 has it" in three["n2"]("GET", f"/v1/requests/{asked['id']}")[1]["outcome"]
        declared = three.run("n1", "migration", "declare", file, "--to", "n2", "--for", "60")
        assert declared.returncode == 0, declared
        assert eventually(
            lambda: three.run("n2", "map", file, "--driver", "file").returncode == 0, within_s=20, every_s=0.2
        )
    finally:
        assert three.run("n1", "unmap", file).returncode == 0
    if driver == "userspace":
        places = Places(three.folder / "n1/state", three.folder / "n1/run")
        assert not [one for one in Mapper(Userspace(places.run), places).views() if one.volume]


def test_killed_and_started_again_it_counts_for_more(three: Hosts) -> None:
    file = volume(three, "disk")
    assert three.run("n1", "map", file, "--driver", "file").returncode == 0
    three.until_all_know("n1", ["disk"])
    three["n1"].end(signal.SIGKILL)
    assert three.run("n1", "unmap", file).returncode == 0
    # Its state is lost, the number of its starts as well: what others have of it must not count for more for ever.
    (three.folder / "n1/state/daemon/epoch.json").write_text(json.dumps({"epoch": 1}))
    three["n1"].start()
    three.until_all_know("n1", [], within_s=5)


def test_who_has_another_key_is_not_heard_and_hears_nothing(tmp_path: Path) -> None:
    hosts = Hosts(tmp_path)
    assert main.main(["cluster", "key", "--file", str(tmp_path / "other")]) == 0
    hosts["n3"].more = hosts.settings("n3", key="other")
    try:
        for name in ("n1", "n3"):
            hosts[name].start()
        assert eventually(lambda: len(hosts["n1"]("GET", "/v1/cluster")[1]["refused"]) > 0, every_s=0.05)
        assert "another key" in str(hosts["n1"]("GET", "/v1/cluster")[1]["refused"])
        for by, of in (("n1", "n3"), ("n3", "n1"), ("n1", "n2")):
            assert hosts.seen(by, of)["state"] == "never heard"
        # Whoever sends anything else is let go of, and the daemon goes on.
        for said in (b"GET / HTTP/1.0\r\n\r\n", b"\xff\xff\xff\xff", b"\x00\x00\x00\x02{}"):
            with socket.create_connection(("127.0.0.1", hosts.ports["n1"]), 5) as one:
                one.settimeout(10)
                assert len(one.recv(16)) == 16
                one.sendall(said)
                assert one.recv(100) == b""
        assert hosts["n1"]("GET", "/healthz")[0] == 200
        assert "more than" in str(hosts["n1"]("GET", "/v1/cluster")[1]["refused"])
    finally:
        for name in ("n1", "n3"):
            if hosts[name].process is not None:
                hosts[name].end(signal.SIGKILL)


def test_two_of_one_name_are_told(three: Hosts) -> None:
    assert three["n3"].end() == 0
    three["n3"].more = three.settings("n3", called="n2")
    three["n3"].start()

    def told(by: str) -> bool:
        return "another daemon calls itself n2" in str(three[by]("GET", "/v1/alerts")[1])

    # Neither is in the other's settings: they hear of each other by the third.
    assert eventually(lambda: told("n2") or told("n3"), within_s=30, every_s=0.2)


@pytest.mark.parametrize("mode", [0o644, 0o640])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    hosts = Hosts(tmp_path)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert main.main(["cluster", "key", "--file", str(tmp_path / "key")]) == 1, "it is not overwritten"
    (tmp_path / "key").chmod(mode)
    (tmp_path / "c.yml").write_text("level: 1\napi: {listen: '127.0.0.1:0'}\n" + hosts["n1"].more)
    done = hosts.run("n1", "daemon", "--config", tmp_path / "c.yml")
    assert done.returncode == 1
    assert "chmod 600" in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
