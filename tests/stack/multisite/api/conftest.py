"""The API in front of a real database; the daemon behind it is as a test says."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient

from harness.stack.multisite.api.app import application
from harness.stack.multisite.api.live import BackendState, EdgeState
from harness.stack.multisite.copies.copies import Alone, Sharing
from harness.stack.multisite.inventory import tokens
from harness.stack.multisite.inventory.database import Database
from harness.stack.multisite.network.hub import NoHub, Tunnels
from harness.stack.multisite.placement.core import Rules
from harness.stack.multisite.placement.heard import Pace, Patience
from harness.stack.multisite.placement.placing import Placing

BACKEND = {"service": "api", "site": "dijon", "host": "10.0.0.1", "port": 80}


def _no_log(event: str, **fields: object) -> None:
    """Nobody reads it."""


def placing_of(database: Database) -> Placing:
    """Placement as the daemon has it; nobody makes it decide."""
    pace = Pace(Rules(), Patience(silent_s=5, lease_s=5, margin_s=1))
    return Placing(database, pace, lambda _key, _now_s: False, lambda: None, _no_log)


@dataclass
class Standing:
    """What a daemon would say."""

    placing: Placing
    states: list[BackendState] = field(default_factory=list)
    now: EdgeState = EdgeState(True, "a", "a", False, 1, 0, None)  # noqa: RUF009 # it is frozen
    poked: int = 0
    hub: Tunnels = field(default_factory=NoHub)
    copies: Sharing = field(default_factory=Alone)

    def backends(self) -> list[BackendState]:
        return self.states

    def edge(self) -> EdgeState:
        return self.now

    def counters(self) -> Mapping[str, float]:
        return {"looks": 5}

    def poke(self) -> None:
        self.poked += 1


@dataclass
class Api:
    """Clients with one token each."""

    client: TestClient
    daemon: Standing
    tokens: Mapping[str, str]

    def __call__(self, method: str, path: str, role: str = "admin", **arguments: Any) -> Any:
        headers = {"X-API-Token": self.tokens[role], **arguments.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **arguments)


@pytest.fixture
def api(database: Database) -> Iterator[Api]:
    with database.writing() as session:
        given = {role.name: tokens.create(session, role.name, role, datetime.now(UTC))[1] for role in tokens.Role}
    daemon = Standing(placing_of(database))
    with TestClient(application(database, daemon), raise_server_exceptions=False) as client:
        yield Api(client, daemon, given)


@pytest.fixture
def small(api: Api) -> Api:
    """A site, a service and a backend."""
    assert api("POST", "/sites", json={"name": "dijon"}).status_code == 201
    assert api("POST", "/services", json={"name": "api", "domains": ["A.test"]}).status_code == 201
    assert api("POST", "/backends", json=BACKEND).status_code == 201
    return api
