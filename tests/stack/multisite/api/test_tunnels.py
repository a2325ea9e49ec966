"""Who may say and ask what of tunnels; that they carry traffic is shown on real nodes (scenarios/multisite)."""

import shutil
from pathlib import Path

import pytest

from harness.stack.multisite.inventory.database import Database
from harness.stack.multisite.network.hub import Hub, HubSettings
from tests.stack.multisite.api.conftest import Api

REPORT = {"site": "dijon", "public_key": "a" * 42 + "A=", "generation": 1, "endpoint": "testclient:51820"}


def no_log(event: str, **fields: object) -> None:
    """Nobody reads it."""


@pytest.mark.parametrize(
    ("method", "path", "role", "code"),
    [
        ("GET", "/tunnels", "read", 200),
        ("GET", "/tunnels", "agent", 403),
        ("POST", "/tunnels/hub/rotate", "read", 403),
        ("POST", "/tunnels/hub/rotate", "operate", 404),
        ("DELETE", "/tunnels/m1", "read", 403),
        ("DELETE", "/tunnels/m1", "operate", 404),
    ],
)
def test_roles_and_a_platform_without_tunnels(api: Api, method: str, path: str, role: str, code: int) -> None:
    answer = api(method, path, role)
    assert answer.status_code == code, answer.text


def test_an_agent_speaks_for_its_own_machine_only(api: Api) -> None:
    said = {**REPORT, "endpoint": ""}
    assert api("PUT", "/machines/agent/tunnel", "agent", json=said).status_code == 404
    assert api("PUT", "/machines/other/tunnel", "agent", json=said).status_code == 403
    assert api("PUT", "/machines/agent/tunnel", "agent", json=said | {"public_key": "short"}).status_code == 422


@pytest.mark.skipif(shutil.which("wg") is not None, reason="wg is here: its absence cannot be shown")
def test_a_hub_that_cannot_be_says_why_and_keeps_what_it_heard(api: Api, database: Database, tmp_path: Path) -> None:
    settings = HubSettings("192.0.2.1:51820", "none0", 51820, "10.200.0.0/16", 0.0, tmp_path / "keys.json")
    api.daemon.hub = Hub(settings, database, api.daemon.poke, no_log)
    answer = api("PUT", "/machines/m1/tunnel", json={**REPORT, "endpoint": ""})
    assert answer.status_code == 409
    assert "wg" in answer.json()["detail"]
    [one] = api("GET", "/tunnels", "read").json()
    assert (one["machine"], one["address"], one["handshake_s"]) == ("m1", "10.200.1.1", None)
    assert api("POST", "/tunnels/m1/rotate", "operate").status_code == 204
    assert api("DELETE", "/tunnels/m1", "operate").status_code == 204
    assert api("GET", "/tunnels", "read").json() == []
