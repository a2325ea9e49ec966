"""The services as processes, and the PostgreSQL that they keep their notes in."""

import contextlib
import http.client
import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import harness.stack.dataservices.apps.services as package

PASSWORD = "ofTheseTestsAlone0123456789abcde"
STARTS_WITHIN_S = 60.0
"""Tests may get only what time others leave."""


def free_port() -> int:
    """One that nobody listens at."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def until_open(port: int, process: "subprocess.Popen[bytes] | None" = None) -> None:
    """Somebody listens there."""
    deadline_s = time.monotonic() + STARTS_WITHIN_S
    while True:
        assert process is None or process.poll() is None, "it ended"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert time.monotonic() < deadline_s, f"nobody listens at {port}"


class Database:
    """A PostgreSQL that asks for passwords by SCRAM, as those of module 3 do. ``stop`` and ``start`` at will."""

    def __init__(self, folder: Path) -> None:
        found = shutil.which("initdb", path=":".join(map(str, Path("/usr/lib/postgresql").glob("*/bin"))))
        if found is None:
            pytest.skip("there is no PostgreSQL server here (Debian: postgresql)")
        self._folder, self._programs, self.port = folder, Path(found).parent, free_port()
        # It refuses to run as root.
        self._how: dict[str, Any] = {"cwd": folder}
        if os.geteuid() == 0:
            self._how["user"] = pwd.getpwnam("nobody").pw_uid
            os.chown(folder, self._how["user"], -1)
        (folder / "password").write_text(PASSWORD)
        (folder / "password").chmod(0o644)
        self._run("initdb", "-D", "data", "-U", "app", "-A", "scram-sha-256", "--pwfile=password", "-E", "UTF8", "-N")

    def start(self) -> None:
        """Until it answers."""
        options = (
            f"-k {self._folder} -p {self.port} -c listen_addresses=127.0.0.1 "
            "-c dynamic_shared_memory_type=mmap -c max_connections=20 -F"
        )
        self._run("pg_ctl", "start", "-w", "-D", "data", "-l", "log", "-o", options)

    def stop(self) -> None:
        """At once, with all connections."""
        self._run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", "data")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, **self._how)


@contextlib.contextmanager
def database() -> Iterator[Database]:
    """One that runs. Not in a folder of pytest's: it runs as another user, to whom those are closed."""
    with tempfile.TemporaryDirectory(prefix="keyservices-postgresql-") as folder:
        server = Database(Path(folder))
        server.start()
        try:
            yield server
        finally:
            with contextlib.suppress(subprocess.CalledProcessError):  # a test has stopped it
                server.stop()


def lay_out(folder: Path) -> None:
    """The programs as they lie on a server: without the package that they come from."""
    shutil.copytree(Path(package.__file__).parent, folder / "services", ignore=shutil.ignore_patterns("__*"))


@contextlib.contextmanager
def running(folder: Path, name: str, **settings: Any) -> Iterator[int]:
    """A service as its unit starts it; its port."""
    port = free_port()
    conf = folder / f"{name}-{port}.json"
    conf.write_text(json.dumps({"address": "127.0.0.1", "port": port, **settings}))
    environment = {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", f"services.{name}", str(conf)]
    with subprocess.Popen(command, env=environment, cwd="/") as process:
        try:
            until_open(port, process)
            yield port
        finally:
            process.terminate()
            assert process.wait(STARTS_WITHIN_S) == 0, "told to stop, it ends in good order"


def api_settings(port: int, **others: Any) -> dict[str, Any]:
    """Of an API that asks a PostgreSQL at this port, and no Redis."""
    given = {"postgresql": [f"127.0.0.1:{port}"], "user": "app", "database": "postgres", "password": PASSWORD}
    return {**given, "redis": [], "redis_password": "", **others}


def ask(port: int, path: str, method: str = "GET", body: bytes | None = None) -> tuple[int, str]:
    """Status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()
