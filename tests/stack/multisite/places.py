"""Real programs on loopback: an edge, backends, a PostgreSQL. Each is ended by whoever started it."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.stack.multisite.edge.program import caddy
from harness.stack.multisite.routing.core import Layout, canonical, start_configuration
from tests.stack.waiting import eventually as asked_again_and_again

HERE = Path(__file__).resolve().parent
WITHIN_S = 30.0
"""The machine may be busy."""


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether it comes true in time. What is asked here is a request to a busy program."""
    return asked_again_and_again(condition, WITHIN_S, 0.05)


_OWN_PORTS = iter(range(10_000 + 4_000 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]), 32_000))


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody has, or gets before they are listened on.

    Below those that the kernel hands out by itself, each once, and other ones for each worker: a port that the kernel
    chose and that was closed again may be the next program's.
    """
    return list(islice(filter(_is_free, _OWN_PORTS), count))


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def layout_in(folder: Path) -> Layout:
    """An edge of its own: its socket, its ports, its folders."""
    public, verdicts, oracle = free_ports(3)
    return Layout(
        admin=f"unix/{folder}/caddy.sock",
        listen=(f"127.0.0.1:{public}",),
        verdict_site=f"127.0.0.1:{verdicts}",
        oracle=f"127.0.0.1:{oracle}",
        verdict_folder=str(folder / "verdicts"),
        storage=str(folder / "caddy"),
    )


@contextmanager
def running(command: list[str], folder: Path, name: str, **how: Any) -> Iterator["subprocess.Popen[bytes]"]:
    """A program, until the block ends; what it says is in NAME.log."""
    with (folder / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **how)
    try:
        yield process
    finally:
        end(process)


def end(process: "subprocess.Popen[bytes]") -> None:
    """Politely at first."""
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)
        process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def caddy_or_skip() -> str:
    """Caddy."""
    program = caddy()
    if program is None:
        pytest.skip("there is no caddy here")
    return program


def edge_environment(folder: Path) -> Mapping[str, str]:
    """Where Caddy may write."""
    return {**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}


@contextmanager
def bare_edge(folder: Path, layout: Layout) -> Iterator["subprocess.Popen[bytes]"]:
    """Caddy that has been told nothing yet; it answers on its admin socket."""
    start = folder / "start.json"
    start.write_text(canonical(start_configuration(layout)))
    command = [caddy_or_skip(), "run", "--config", str(start)]
    with running(command, folder, "edge", env=edge_environment(folder)) as process:
        assert eventually(lambda: configured(layout) is not None), (folder / "edge.log").read_text()
        yield process


def admin(layout: Layout) -> httpx.Client:
    """A client of its admin API."""
    transport = httpx.HTTPTransport(uds=layout.admin.removeprefix("unix/"), verify=False)
    return httpx.Client(transport=transport, base_url="http://localhost", headers={"Host": ""}, timeout=30)


def configured(layout: Layout) -> Any:
    """What the edge has in force; None where it does not answer."""
    try:
        with admin(layout) as client:
            return client.get("/config/").json()
    except httpx.HTTPError:
        return None


def take(layout: Layout, document: Mapping[str, Any]) -> str:
    """Load a configuration; what the edge says against it, nothing if it took it."""
    with admin(layout) as client:
        answer = client.post("/load", content=canonical(document), headers={"Content-Type": "application/json"})
        return "" if answer.status_code == 200 else answer.text


@contextmanager
def backend(folder: Path, name: str, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """A small HTTP server that answers with its name and keeps a log of its own in NAME.served."""
    command = [sys.executable, str(HERE / "backend_process.py"), name, str(port), str(folder / f"{name}.served")]
    with running(command, folder, name) as process:
        assert eventually(lambda: answers(port))
        yield process


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


class Postgresql:
    """A server that only listens on a socket in its folder. ``stop`` and ``start`` as often as one likes."""

    def __init__(self, folder: Path) -> None:
        binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
        found = shutil.which("initdb", path=":".join([*map(str, binaries), os.environ.get("PATH", "")]))
        if found is None:
            pytest.skip("there is no PostgreSQL server here (Debian: postgresql)")
        self.url = f"postgresql://multisite@/postgres?host={folder}"
        self._folder, self._programs = folder, Path(found).resolve().parent
        # It refuses to run as root.
        self._how: dict[str, Any] = {"cwd": folder}
        if os.geteuid() == 0:
            self._how["user"] = pwd.getpwnam("nobody").pw_uid
            os.chown(folder, self._how["user"], -1)
        self._run("initdb", "-D", "data", "-U", "multisite", "-A", "trust", "-E", "UTF8", "-N")

    def start(self) -> None:
        """Until it answers."""
        # Shared memory in its folder as well: what it has elsewhere would outlive a test that is killed.
        options = f"-k {self._folder} -c listen_addresses= -c dynamic_shared_memory_type=mmap -F"
        self._run("pg_ctl", "start", "-w", "-D", "data", "-l", "log", "-o", options)

    def stop(self) -> None:
        """At once, with all connections."""
        self._run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", "data")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, **self._how)


@contextmanager
def postgresql() -> Iterator[Postgresql]:
    """A server that runs. Not in a folder of pytest's: it runs as another user, to whom those are closed."""
    with tempfile.TemporaryDirectory(prefix="multisite-postgresql-") as folder:
        server = Postgresql(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()
