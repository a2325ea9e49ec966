"""The daemon of mfs-autonomy while nothing happens, its answers, and how soon hosts know of each other."""

import contextlib
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from harness.bench.figures import Figure, Measured, grid
from harness.bench.waiting import until
from harness.errors import HarnessError
from harness.procfs import memory_bytes, processor_time_s

METHOD = """\
*Daemon*: three of them on this host, with state of their own, on the loopback; each looks at the host every 10 s and
tells both others what it has every two seconds, or at once. *Known to both* is from the end of `mfs-autonomy map` on
one (as a file: the record is what counts) until the API of both others has it. Answers are of one connection that is
kept open, one request after the other."""
NAMES = ("n1", "n2", "n3")
ANSWERS = 500
CHANGES = 10
WITHIN_S = 60.0
_until = partial(until, within_s=WITHIN_S, every_s=0.005)
PROGRAM = "harness.stack.storage"


@dataclass
class Host:
    """One daemon."""

    name: str
    folder: Path
    port: int
    peer_port: int
    token: str = ""
    process: "subprocess.Popen[bytes] | None" = None
    connection: http.client.HTTPConnection | None = field(default=None)

    def command(self, *arguments: object) -> list[str]:
        """Of this host."""
        places = ["--state", str(self.folder / "state"), "--run", str(self.folder / "run")]
        return [sys.executable, "-m", PROGRAM, *places, *map(str, arguments)]

    def forget(self) -> None:
        """Connect anew."""
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def get(self, path: str) -> tuple[float, object]:
        """How long it took, and what was answered."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        began_s = time.monotonic()
        self.connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
        answer = self.connection.getresponse()
        body = answer.read()
        took_s = time.monotonic() - began_s
        if answer.status != 200:
            raise HarnessError(f"{path}: {answer.status}")
        return took_s, json.loads(body)


def measured(idle_s: float, where: Path, say: Callable[[str], None]) -> Measured:
    """All of it."""
    with _running(where / "daemons") as hosts:
        say(f"three daemons: {idle_s:.0f} s of nothing")
        rows = _idle(hosts, idle_s)
        answers = []
        for path in ("/v1/status", "/v1/incidents", "/v1/cluster"):
            say(f"{ANSWERS} answers of {path}")
            hosts[0].forget()  # a connection that was idle for a while is closed by the server
            hosts[0].get(path)
            values = [hosts[0].get(path)[0] for _ in range(ANSWERS)]
            answers.append(Figure(f"GET {path}", tuple(values), f"99 % within {1000 * _percentile(values, 99):.1f} ms"))
        say(f"{CHANGES} changes, until both others know")
        changes = Figure("a change, known to both other hosts", tuple(_changes(hosts, where)))
    header = ("daemon", "processor, % of a core", "memory, MB", "remark")
    return Measured([*answers, changes], [*grid(header, rows, header[1:-1]), ""])


def _percentile(values: list[float], share: int) -> float:
    return statistics.quantiles(values, n=100)[share - 1]


def _idle(hosts: list[Host], idle_s: float) -> list[tuple[str, ...]]:
    pids = [one.process.pid for one in hosts if one.process is not None]
    before_s, start_s = [processor_time_s(pid, with_children=True) for pid in pids], time.monotonic()
    time.sleep(idle_s)
    passed_s = time.monotonic() - start_s
    after_s = [processor_time_s(pid, with_children=True) for pid in pids]
    shares = [100 * (later - used) / passed_s for later, used in zip(after_s, before_s, strict=True)]
    sizes = [memory_bytes(pid) / 1e6 for pid in pids]
    said = f"{idle_s:.0f} s; the least and the most of three"
    return [
        (
            "idle, with two peers",
            f"{min(shares):.2f} to {max(shares):.2f}",
            f"{min(sizes):.0f} to {max(sizes):.0f}",
            said,
        )
    ]


def _changes(hosts: list[Host], where: Path) -> Iterator[float]:
    store = where / "daemons/store"
    for number in range(CHANGES):
        volume = store / f"disk-{number}"
        volume.write_bytes(os.urandom(8192))
        for one in hosts[1:]:
            one.forget()
        subprocess.run(hosts[0].command("map", volume, "--driver", "file"), check=True, capture_output=True, timeout=60)
        began_s = time.monotonic()
        _until(partial(_all_know, hosts[1:], str(volume)), "a change is known")
        yield time.monotonic() - began_s


def _all_know(hosts: list[Host], volume: str) -> bool:
    return all(_knows(one, volume) for one in hosts)


def _knows(host: Host, volume: str) -> bool:
    document = host.get("/v1/cluster")[1]
    assert isinstance(document, dict)
    return any(row["volume"] == volume for node in document["nodes"] for row in node["volumes"])


@contextlib.contextmanager
def _running(where: Path) -> Iterator[list[Host]]:
    (where / "store").mkdir(parents=True)
    hosts = [Host(name, where / name, _free_port(), _free_port()) for name in NAMES]
    subprocess.run(hosts[0].command("cluster", "key", "--file", where / "key"), check=True, capture_output=True)
    try:
        for one in hosts:
            _start(one, hosts, where)
        for one in hosts:
            _until(partial(_is_well, one), f"{one.name} hears of the others")
        yield hosts
    finally:
        for one in hosts:
            if one.process is not None:
                one.process.terminate()
        for one in hosts:
            if one.process is not None:
                one.process.wait(30)


def _start(one: Host, hosts: list[Host], where: Path) -> None:
    one.folder.mkdir()
    made = subprocess.run(one.command("token", "create", "bench"), check=True, capture_output=True, text=True)
    one.token = made.stdout.strip()
    peers = [{"name": each.name, "address": f"127.0.0.1:{each.peer_port}"} for each in hosts if each is not one]
    settings = {
        "level": 1,
        "api": {"listen": f"127.0.0.1:{one.port}"},
        "cluster": {
            "name": one.name,
            "listen": f"127.0.0.1:{one.peer_port}",
            "key_file": str(where / "key"),
            "peers": peers,
            "shared": [str(where / "store")],
        },
    }
    (one.folder / "config.yml").write_text(json.dumps(settings))  # JSON is YAML
    with open(one.folder / "log", "wb") as log:
        command = one.command("daemon", "--config", one.folder / "config.yml")
        one.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def _is_well(host: Host) -> bool:
    if host.process is not None and host.process.poll() is not None:
        raise HarnessError(f"{host.name} ended: {(host.folder / 'log').read_text()[-300:]}")
    try:
        document = host.get("/v1/cluster")[1]
    except OSError:
        host.forget()
        return False
    assert isinstance(document, dict)
    return all(one["state"] in ("well", "this one") for one in document["nodes"])


def _free_port() -> int:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as one:
        return int(one.getsockname()[1])
