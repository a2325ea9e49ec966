"""A daemon in a process of its own, with files of its own."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.stack.storage.daemon.tokens import Role, Tokens
from tests.stack.waiting import eventually

ROOT = Path(__file__).parents[4]


@dataclass
class Running:
    """One that is started, killed and started again."""

    folder: Path
    level: int = 3
    every_s: int = 1
    more: str = ""
    """Of the settings."""
    environment: dict[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None
    tokens: dict[str, str] = field(default_factory=dict)
    port: int = 0
    context: ssl.SSLContext | None = None
    """As a client has it, where the daemon speaks TLS."""

    def __post_init__(self) -> None:
        for role in Role:
            self.tokens[role.name] = Tokens(self.folder / "state/daemon/tokens.json").create(role.name, role)
        with closing(socket.create_server(("127.0.0.1", 0))) as one:
            self.port = one.getsockname()[1]

    @property
    def command(self) -> list[str]:
        """How it is called."""
        places = ["--state", str(self.folder / "state"), "--run", str(self.folder / "run")]
        return [sys.executable, "-m", "harness.stack.storage", *places]

    def start(self) -> None:
        """Until it answers."""
        config = self.folder / "config.yml"
        config.write_text(
            f"level: {self.level}\nevery_s: {self.every_s}\napi: {{listen: '127.0.0.1:{self.port}'}}\n"
            "alerts: {routes: [{to: log, least: info, after_s: 0}]}\n"
            f"{self.more}"
        )
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [*self.command, "daemon", "--config", str(config)],
                cwd=ROOT,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environment},
            )
        assert eventually(self._answers, within_s=60, every_s=0.05), self.said()

    def _answers(self) -> bool:
        try:
            return bool(self("GET", "/v1/status")[1]["looked_at_s"] > 0)
        except OSError:
            assert self.process is not None
            assert self.process.poll() is None, self.said()
            return False

    def end(self, number: int = signal.SIGTERM) -> int:
        """Its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(30)
        self.process = None
        return code

    def said(self) -> str:
        """Its log."""
        return (self.folder / "log").read_text()

    def __call__(self, method: str, path: str, body: object = None, role: str | None = "admin") -> tuple[int, Any]:
        """Status and document of an answer."""
        headers = {"Content-Type": "application/json"}
        if role is not None:
            headers["Authorization"] = f"Bearer {self.tokens.get(role, role)}"
        data = None if body is None else json.dumps(body).encode()
        scheme = "http" if self.context is None else "https"
        asked = urllib.request.Request(f"{scheme}://127.0.0.1:{self.port}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(asked, timeout=30, context=self.context) as answer:
                return answer.status, _read(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, _read(error.read())

    def state_of(self, identity: str) -> str:
        """Of a request."""
        return str(self("GET", f"/v1/requests/{identity}")[1]["state"])


def _read(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content.decode()


@pytest.fixture
def new_daemon(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    made: list[Running] = []

    def make(**settings: Any) -> Running:
        made.append(Running(tmp_path, **settings))
        return made[-1]

    yield make
    for one in made:
        if one.process is not None:
            one.end(signal.SIGKILL)
