"""The platform (`multisite`) at scale, on the loopback: its checker, its API, and connections that should stay."""

import asyncio
import contextlib
import http.client
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from harness.bench.figures import Figure, grid, markdown
from harness.bench.waiting import until
from harness.errors import HarnessError
from harness.procfs import memory_bytes, processor_time_s

METHOD = """\
`multisite serve` on the loopback, beside the backends (one process, which listens on a port for each) and whoever asks.

*Checker*: that many backends, each asked every second over a connection that is kept; no edge runs. Looks are counted
by the backends.

*API*: 5,000 backends in the inventory, each asked every 30 s. GET /backends/ID over 16 connections that are
kept, for 10 s: at a steady rate, from due to answered; and each connection one after the other, for the most it
answers.

*Connections that stay*: 500 connections that were upgraded, through the edge (Caddy) to two backends. A third one is
drained and taken back, again and again, each a change of the edge's list of backends; then services are added, each a
new configuration. Closed is who does not hear an echo after that.

*All down*: both backends end; once the platform says so, GETs through the edge until one is answered 503."""
PROGRAM = "harness.stack.multisite"
ADDRESS, FIRST_PORT, EACH = "127.0.0.2", 20_000, 10_000
OWN_PORTS = range(18_500, 18_600, 4)
PER_SERVICE = 50
SETTLES_S, WATCHED_S, WITHIN_S = 10.0, 10.0, 120.0
CONNECTIONS, ASKED_FOR_S = 16, 10.0
RATES_PER_S = (100, 0)
"""Requests that are due in each second; 0: one after the other."""
LONG, MEMBERSHIPS, CONFIGURATIONS, GETS = 500, 1000, 100, 50
CHECKED, KNOWN = (1000, 2000, 4000), 5000
UPGRADE = b"GET / HTTP/1.1\r\nHost: svc0.test\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"
_until = partial(until, within_s=WITHIN_S, every_s=0.1)
Say = Callable[[str], None]


class Backends:
    """Many in one process."""

    def __init__(self, count: int) -> None:
        words = [sys.executable, "-m", "harness.bench.platform_backends", ADDRESS, str(FIRST_PORT), str(count)]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self._hear() != "listens":
            raise HarnessError(f"no {count} backends could listen on {ADDRESS} from port {FIRST_PORT} on")

    def answered(self) -> int:
        """How many requests they have answered."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return int(self._hear())

    def end(self) -> None:
        """All at once."""
        self._process.kill()
        self._process.communicate()

    def _hear(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@dataclass
class _Platform:
    """`multisite serve`, and with ``edge`` Caddy in front of it, in a folder of their own."""

    folder: Path
    interval_s: float
    edge: bool = False
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    token: str = ""

    @property
    def api_port(self) -> int:
        """Where its API listens; the edge's ports follow it."""
        return OWN_PORTS.start

    @property
    def public_port(self) -> int:
        """Where visitors come."""
        return self.api_port + 1

    @property
    def pid(self) -> int:
        """Of the daemon."""
        return self.processes[-1].pid

    def start(self) -> None:
        """Running, with a token of an administrator."""
        self.folder.mkdir()
        config, api = self.folder / "config.yml", self.api_port
        config.write_text(
            f"state: {self.folder}/state\nrun: {self.folder}/run\napi: 127.0.0.1:{api}\n"
            f"edge: {{listen: '127.0.0.1:{self.public_port}', tls: none, validate: false,"
            f" verdict_site: '127.0.0.1:{api + 2}', oracle: '127.0.0.1:{api + 3}'}}\n"
            f"health: {{interval_ms: {self.interval_s * 1000:.0f}, lease_ms: {(self.interval_s + 10) * 1000:.0f},"
            " at_once: 1000}\n"
        )
        for what in ("edge", "serve") if self.edge else ("serve",):
            with (self.folder / f"{what}.log").open("wb") as log:
                command = [sys.executable, "-m", PROGRAM, what, "--config", str(config)]
                caddys = {"HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder)}
                self.processes.append(subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **caddys}))
        _until(self._answers, f"multisite serve answers ({self.folder}/serve.log)")
        command = [
            sys.executable,
            "-m",
            PROGRAM,
            "token",
            "create",
            "bench",
            "--role",
            "admin",
            "--config",
            str(config),
        ]
        self.token = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def end(self) -> None:
        """Whatever runs of it."""
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """What the API answers. HarnessError unless it did as it was told."""
        connection = http.client.HTTPConnection("127.0.0.1", self.api_port, timeout=WITHIN_S)
        with contextlib.closing(connection):
            headers = {"X-API-Token": self.token, "Content-Type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            said = answer.read()
        if answer.status >= 300:
            raise HarnessError(f"{method} {path}: {answer.status} {said[:200]!r}")
        return json.loads(said) if said else None

    def declare(self, backends: int, per_service: int = PER_SERVICE) -> None:
        """That many backends, in services of a domain each."""
        services = range(-(-backends // per_service))
        self.ask(
            "PUT",
            "/inventory",
            {
                "sites": [{"name": "here"}],
                "services": [{"name": f"svc{number}", "domains": [f"svc{number}.test"]} for number in services],
                "backends": [
                    {"service": f"svc{n // per_service}", "site": "here", "host": ADDRESS, "port": FIRST_PORT + n}
                    for n in range(backends)
                ],
            },
        )
        _until(lambda: self._seen() == backends, f"all {backends} backends have been looked at")

    def states(self) -> list[Any]:
        """What it holds of each backend."""
        found: list[Any] = self.ask("GET", "/health/backends")
        return found

    def loads(self) -> int:
        """How often its edge was given a configuration."""
        return int(self.ask("GET", "/health/summary")["edge"]["loads"])

    def loaded_since(self, loads: int) -> bool:
        """Whether it was given another one since there had been so many."""
        return self.loads() > loads

    def _seen(self) -> int:
        return sum(one["verdict"] == "up" for one in self.states())

    def _answers(self) -> bool:
        try:
            self.ask("GET", "/healthz")
        except (OSError, http.client.HTTPException, HarnessError):
            return False
        return True


@contextlib.contextmanager
def _platform(
    folder: Path, interval_s: float, backends: int, *, edge: bool = False
) -> Iterator[tuple[_Platform, Backends]]:
    many, one = Backends(backends), _Platform(folder, interval_s, edge)
    try:
        one.start()
        yield one, many
    finally:
        one.end()
        many.end()


def run(folder: Path, say: Say) -> str:
    """The section of the benchmark page."""
    rows = [_checked(folder / f"checked-{count}", count, say) for count in CHECKED]
    api = _api(folder / "api", say)
    down, stayed = _staying(folder / "staying", say)
    header = ("backends, each asked every second", "looks a second", "processor, % of a core", "memory, MB", "remark")
    section = markdown("Platform", METHOD, [*api, down])
    return "\n".join([section, *grid(header, rows, header[1:-1]), "", stayed, ""])


def _checked(folder: Path, count: int, say: Say) -> tuple[str, ...]:
    say(f"checker: {count} backends, each second")
    with _platform(folder, 1.0, count) as (platform, backends):
        platform.declare(count)
        time.sleep(SETTLES_S)
        used_s, looks, began_s = (
            processor_time_s(platform.pid, with_children=True),
            backends.answered(),
            time.monotonic(),
        )
        time.sleep(WATCHED_S)
        passed_s = time.monotonic() - began_s
        looks = backends.answered() - looks
        used_s = processor_time_s(platform.pid, with_children=True) - used_s
        size = memory_bytes(platform.pid) / 1e6
    share, rate = 100 * used_s / passed_s, looks / passed_s
    return (str(count), f"{rate:.0f}", f"{share:.0f}", f"{size:.0f}", f"for {WATCHED_S:.0f} s")


def _api(folder: Path, say: Say) -> list[Figure]:
    with _platform(folder, 30.0, KNOWN) as (platform, _):
        platform.declare(KNOWN)
        ids = [one["id"] for one in platform.ask("GET", "/backends?limit=100")["items"]]
        figures = []
        for rate_per_s in RATES_PER_S:
            say(f"API: {rate_per_s or 'as many as it answers of'} requests a second with {KNOWN} backends")
            took_s, failed, passed_s = asyncio.run(load(platform.api_port, platform.token, ids, rate_per_s))
            within_ms = statistics.quantiles(took_s, n=100)[98] * 1000
            pace = f"{rate_per_s} a second" if rate_per_s else f"{CONNECTIONS} askers, each at once again"
            remark = f"99 % within {within_ms:.0f} ms; {failed} failed; {len(took_s) / passed_s:.0f} answered a second"
            figures.append(Figure(f"GET /backends/ID, {pace}", tuple(took_s), remark))
    return figures


async def load(
    port: int, token: str, ids: Sequence[int], rate_per_s: int, address: str = "127.0.0.1"
) -> tuple[list[float], int, float]:
    """From due to answered, how many were not answered well, and how long it all took. Rate 0: due at once."""
    due_s: asyncio.Queue[float] = asyncio.Queue()
    took_s: list[float] = []
    failed = 0

    async def ask() -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection(address, port)
        while time.monotonic() < ends_s or rate_per_s:
            since_s = await due_s.get() if rate_per_s else time.monotonic()
            number = ids[len(took_s) % len(ids)]
            writer.write(f"GET /backends/{number} HTTP/1.1\r\nHost: a\r\nX-API-Token: {token}\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.split(b":")[1]))
            failed += b" 200 " not in head.split(b"\r\n", 1)[0]
            took_s.append(time.monotonic() - since_s)
            if rate_per_s:
                due_s.task_done()
        writer.close()

    began_s = time.monotonic()
    ends_s = began_s + ASKED_FOR_S
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask()) for _ in range(CONNECTIONS)]
        for number in range(int(rate_per_s * ASKED_FOR_S)):
            await asyncio.sleep(began_s + number / rate_per_s - time.monotonic())
            due_s.put_nowait(began_s + number / rate_per_s)
        if rate_per_s:
            await due_s.join()
            for task in tasks:
                task.cancel()
    return took_s, failed, time.monotonic() - began_s


def _staying(folder: Path, say: Say) -> tuple[Figure, str]:
    with _platform(folder, 0.1, 3, edge=True) as (platform, backends):
        platform.declare(3, per_service=3)
        third = next(one["id"] for one in platform.ask("GET", "/backends")["items"] if one["port"] == FIRST_PORT + 2)
        drained = f"/backends/{third}"
        platform.ask("PATCH", drained, {"draining": True})
        _until(lambda: sum(bool(one["in_use"]) for one in platform.states()) == 2, "two of three take traffic")
        closed = asyncio.run(_changed(platform, drained, say))
        say("all down")
        backends.end()
        _until(lambda: not any(one["in_use"] for one in platform.states()), "no backend takes traffic")
        took_s = tuple(_refused_s(platform.public_port) for _ in range(GETS))
    stayed = (
        f"Of {LONG} long connections {closed[0]} were closed by {MEMBERSHIPS} changes of who takes traffic, and "
        f"{closed[1]} by {CONFIGURATIONS} configurations."
    )
    return Figure("all down: answered 503", took_s, "GETs, once the platform knows"), stayed


async def _changed(platform: _Platform, drained: str, say: Say) -> tuple[int, int]:
    """How many long connections the two kinds of changes cost."""
    lines = await asyncio.gather(*(_opened(platform.public_port) for _ in range(LONG)))
    say(f"{MEMBERSHIPS} changes of who takes traffic, {LONG} long connections")
    for number in range(MEMBERSHIPS):
        await asyncio.to_thread(platform.ask, "PATCH", drained, {"draining": number % 2 == 1})
    living = [one for one in lines if await _echoes(*one)]
    say(f"{CONFIGURATIONS} configurations")
    for number in range(CONFIGURATIONS):
        loads = await asyncio.to_thread(platform.loads)
        body = {"name": f"more{number}", "domains": [f"more{number}.test"]}
        await asyncio.to_thread(platform.ask, "POST", "/services", body)
        await asyncio.to_thread(_until, partial(platform.loaded_since, loads), "the edge has the new service")
    left = [one for one in living if await _echoes(*one)]
    for _, writer in lines:
        writer.close()
    return LONG - len(living), len(living) - len(left)


async def _opened(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(UPGRADE)
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 101 " not in head.split(b"\r\n", 1)[0]:
        raise HarnessError(f"the edge did not take a long connection: {head[:100]!r}")
    return reader, writer


async def _echoes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    try:
        writer.write(b"still there\n")
        async with asyncio.timeout(5):
            return await reader.readline() == b"still there\n"
    except (OSError, EOFError, TimeoutError):
        return False


def _refused_s(port: int) -> float:
    """How long a GET takes until it is answered 503."""
    began_s = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", "/", headers={"Host": "svc0.test"})
        answer = connection.getresponse()
        answer.read()
    if answer.status != 503:
        raise HarnessError(f"the edge answered {answer.status} while all backends were down")
    return time.monotonic() - began_s
