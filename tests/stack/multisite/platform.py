"""The platform as its users start it: its two processes, by the command line, on loopback."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from harness.stack.multisite.inventory import tokens
from harness.stack.multisite.inventory.database import open_database
from harness.stack.multisite.settings.load import load
from tests.stack.multisite.places import (
    admin,
    caddy_or_skip,
    configured,
    edge_environment,
    end,
    eventually,
    free_ports,
    running,
)

ROOT = Path(__file__).resolve().parents[3]
COMMAND = [sys.executable, "-m", "harness.stack.multisite"]
DOMAIN = "api.test"


class Platform:
    """One platform in a folder. ``edge`` and ``daemon`` are its processes while they run."""

    def __init__(self, folder: Path, settings: str = "") -> None:
        self.folder, self.config = folder, folder / "config.yml"
        api, self.public, verdicts, oracle = free_ports(4)
        self.url = f"http://127.0.0.1:{api}"
        self._client = httpx.Client(base_url=self.url, timeout=30, verify=False)
        self.config.write_text(
            f"state: {folder}/state\nrun: {folder}/run\napi: 127.0.0.1:{api}\n"
            f"edge: {{listen: '127.0.0.1:{self.public}', tls: none, validate: false, "
            f"verdict_site: '127.0.0.1:{verdicts}', oracle: '127.0.0.1:{oracle}'}}\n"
            f"{settings or 'health: {interval_ms: 100, timeout_ms: 1000}'}\n"
        )
        self.daemon: subprocess.Popen[bytes]
        self.edge: subprocess.Popen[bytes]
        self._until_end = ExitStack()

    def call(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """A command of the platform."""
        return subprocess.run(
            [*COMMAND, *arguments], check=False, capture_output=True, text=True, timeout=60, cwd=ROOT,
            env={**edge_environment(self.folder), "MULTISITE_URL": self.url, **environment},
        )  # fmt: skip

    def start_edge(self) -> None:
        """Caddy, from the file that it has."""
        caddy_or_skip()
        self.edge = self._run("edge")
        assert eventually(lambda: self.in_force() is not None), self.said("edge")

    def start_daemon(self) -> None:
        """`multisite serve`."""
        self.daemon = self._run("serve")
        assert eventually(self.alive), self.said("serve")

    def alive(self) -> bool:
        """Whether the API answers."""
        try:
            return self._client.get("/healthz").status_code == 200
        except httpx.HTTPError:
            return False

    def said(self, name: str) -> str:
        """What a process wrote."""
        return (self.folder / f"{name}.log").read_text()

    def api(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """A request by whoever may do all."""
        return self._client.request(method, path, headers={"X-API-Token": self.token}, **arguments)

    def summary(self) -> Any:
        """/health/summary."""
        return self.api("GET", "/health/summary").json()

    def in_order(self) -> bool:
        """Whether the edge has what it should have."""
        edge = self.summary()["edge"]
        return bool(edge["wanted"] and edge["in_force"] == edge["wanted"])

    def has_loaded(self, times: int) -> bool:
        """Whether the edge was given a configuration so often."""
        return int(self.summary()["edge"]["loads"]) >= times

    def states(self) -> dict[str, str]:
        """Address -> verdict, with a + where it takes traffic."""
        found = self.api("GET", "/health/backends").json()
        return {one["address"]: one["verdict"] + ("+" if one["in_use"] else "") for one in found}

    def all_up(self) -> bool:
        """Whether every backend takes traffic: one whose program has just begun may have been called down before."""
        return set(self.states().values()) == {"up+"}

    def in_force(self) -> Any:
        """What the edge has."""
        return configured(self.layout)

    def spoil(self, path: str, value: Any) -> None:
        """Somebody else changes the edge."""
        with admin(self.layout) as client:
            assert client.patch(f"/config/{path}", json=value).status_code == 200

    def get(self, path: str = "/", **headers: str) -> httpx.Response:
        """A visitor."""
        url = f"http://127.0.0.1:{self.public}{path}"
        # No certificates are read for it: that is half of the work.
        return httpx.get(url, headers={"Host": DOMAIN, **headers}, timeout=10, verify=False)

    def declare(self, *backends: dict[str, Any], **service: Any) -> None:
        """One service, each backend on a site of its own, taken by the edge."""
        names = [f"site{number}" for number, _ in enumerate(backends, start=1)]
        wanted = {
            "sites": [{"name": name} for name in names],
            "services": [{"name": "api", "domains": [DOMAIN], **service}],
            "backends": [
                {"service": "api", "site": name, "host": "127.0.0.1", **one}
                for name, one in zip(names, backends, strict=True)
            ],
        }
        answer = self.api("PUT", "/inventory", json=wanted)
        assert answer.status_code == 200, answer.text
        self.settled(len(backends))

    def settled(self, backends: int) -> None:
        """Wait until all are seen and the edge has them."""
        assert eventually(
            lambda: (
                len(self.states()) == backends
                and not any("unknown" in one for one in self.states().values())
                and self.in_order()
            ),
        ), (self.states(), self.summary(), self.said("serve"))

    def _run(self, what: str) -> "subprocess.Popen[bytes]":
        command = [*COMMAND, what, "--config", str(self.config)]
        how = {"cwd": ROOT, "env": edge_environment(self.folder)}
        return self._until_end.enter_context(running(command, self.folder, what, **how))

    def end(self) -> None:
        """All of it."""
        self._client.close()
        self._until_end.close()

    @property
    def token(self) -> str:
        """Of an administrator."""
        file = self.folder / "token"
        if not file.exists():
            database = open_database(load(self.config).database)
            with database.writing() as session:
                file.write_text(tokens.create(session, "me", tokens.Role.admin, datetime.now(UTC))[1])
            database.close()
        return file.read_text().strip()

    @property
    def layout(self) -> Any:
        """Where its edge is."""
        return load(self.config).layout


@contextmanager
def platform(folder: Path, settings: str = "") -> Iterator[Platform]:
    """A platform whose edge and daemon run."""
    one = Platform(folder, settings)
    try:
        one.start_edge()
        one.start_daemon()
        yield one
    finally:
        one.end()


__all__ = ["Platform", "end", "platform"]
