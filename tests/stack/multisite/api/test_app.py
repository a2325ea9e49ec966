"""The API in front of a real database; the daemon behind it is as the test says."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from harness.stack.multisite.api.live import BackendState, EdgeState
from harness.stack.multisite.inventory import seen, versions
from harness.stack.multisite.inventory.database import Database
from harness.stack.multisite.inventory.seen import Seen
from tests.stack.multisite.api.conftest import BACKEND, Api


def test_a_life_from_201_to_204(api: Api) -> None:
    made = api("POST", "/sites", json={"name": "dijon", "priority": 5})
    assert (made.status_code, made.headers["Location"], made.headers["ETag"]) == (201, "/sites/dijon", '"1"')
    assert api("GET", "/sites/dijon").json() == made.json()
    changed = api("PATCH", "/sites/dijon", json={"weight": 7})
    assert changed.json() == made.json() | {"weight": 7, "version": 2}
    assert api("GET", "/sites").json()["items"] == [changed.json()]
    gone = api("DELETE", "/sites/dijon")
    assert (gone.status_code, gone.content) == (204, b"")
    assert api("GET", "/sites/dijon").status_code == 404
    assert api.daemon.poked == 3


@pytest.mark.parametrize(
    ("path", "patch", "other"),
    [
        ("/sites/dijon", {"priority": 0}, {"weight": 0}),
        ("/sites/dijon", {"wg_endpoint": "vpn.test:51820"}, {"wg_endpoint": None}),
        ("/services/api", {"headers": {"X-A": "1"}}, {"domains": ["b.test", "a.test"]}),
        ("/backends/1", {"tags": ["a"], "draining": True}, {"weight": 0, "priority": None}),
    ],
)
def test_a_patch_touches_what_it_names_only(
    small: Api, path: str, patch: dict[str, Any], other: dict[str, Any]
) -> None:
    before = small("GET", path).json()
    for given in (patch, other, {}):
        after = small("PATCH", path, json=given)
        assert after.status_code == 200
        assert after.json() == before | given | {"version": after.json()["version"]}
        before = after.json()


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "why"),
    [
        ("POST", "/sites", {"name": "dijon"}, 409, "there is a site dijon already"),
        ("POST", "/services", {"name": "web", "domains": ["a.TEST"]}, 409, "domain a.test belongs to service api"),
        ("POST", "/backends", BACKEND, 409, "api@10.0.0.1:80 already"),
        ("POST", "/backends", BACKEND | {"site": "rome"}, 404, "no site rome"),
        ("PATCH", "/backends/1", {"service": "no"}, 404, "no service no"),
        ("PATCH", "/sites/dijon", {"name": None}, 422, "valid string"),
        ("PATCH", "/sites/dijon", {"nmae": "x"}, 422, "Extra inputs"),
        ("POST", "/sites", {"name": "Dijon!"}, 422, "pattern"),
        ("POST", "/services", {"name": "w", "domains": ["*.test"]}, 422, "wildcards are not supported"),
        ("GET", "/backends/99", None, 404, "no backend 99"),
        ("GET", "/backends/99999999999999999999", None, 422, "less than"),
        ("DELETE", "/services/no", None, 404, "no service no"),
        ("GET", "/sites?limit=0", None, 422, "greater"),
        ("POST", "/config/versions/9/hold", None, 404, "no version 9"),
        ("PUT", "/inventory", {"backends": [BACKEND]}, 422, "there is no service api"),
    ],
)
def test_what_is_wrong_is_said(small: Api, *, method: str, path: str, body: Any, status: int, why: str) -> None:
    answer = small(method, path, json=body)
    assert answer.status_code == status, answer.text
    assert why in answer.text


def test_what_is_no_json_is_400(api: Api) -> None:
    answer = api("POST", "/sites", content=b"{", headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


def test_who_may_do_what(small: Api) -> None:
    for headers in ({}, {"X-API-Token": "ms_wrong"}, {"Authorization": "Bearer wrong"}):
        answer = small.client.get("/sites", headers=headers)
        assert answer.status_code == 401
        assert "WWW-Authenticate" in answer.headers
    assert small.client.get("/sites", headers={"Authorization": f"Bearer {small.tokens['read']}"}).status_code == 200
    allowed = {
        ("GET", "/sites"): "read operate admin",
        ("GET", "/metrics"): "read operate admin",
        ("PATCH", "/sites/dijon"): "operate admin",
        ("PUT", "/inventory?dry_run=true"): "operate admin",
        ("GET", "/tokens"): "admin",
    }
    for (method, path), roles in allowed.items():
        for role in small.tokens:
            status = small(method, path, role, json={}).status_code
            assert status == (200 if role in roles.split() else 403), (method, path, role)
    assert small.client.get("/healthz").json() == {"status": "ok"}
    assert small.client.get("/healthz/edge").status_code == 200
    now = small.daemon.now
    small.daemon.now = EdgeState(False, None, None, False, 0, 0, None)
    assert small.client.get("/healthz/edge").status_code == 503
    small.daemon.now = now


def test_a_change_by_who_knows_an_older_version_is_412(small: Api) -> None:
    for path in ("/sites/dijon", "/services/api", "/backends/1"):
        etag = small("GET", path).headers["ETag"]
        assert small("PATCH", path, json={}, headers={"If-Match": etag}).status_code == 200
        change = {"domains": ["c.test"]} if "services" in path else {"weight": 9}
        assert small("PATCH", path, json=change, headers={"If-Match": etag}).status_code == 200
        assert small("PATCH", path, json=change, headers={"If-Match": etag}).status_code == 412
        assert small("PATCH", path, json=change, headers={"If-Match": '"x"'}).status_code == 412
        assert small("PATCH", path, json=change, headers={"If-Match": "*"}).status_code == 200
        assert small("DELETE", path, headers={"If-Match": etag}).status_code == 412


def test_pages(api: Api) -> None:
    for number in range(5):
        api("POST", "/sites", json={"name": f"s{number}"})
    names: list[str] = []
    after: int | None = 0
    while after is not None:
        page = api("GET", f"/sites?limit=2&after={after}").json()
        assert page["total"] == 5
        names += [one["name"] for one in page["items"]]
        after = page["next"]
    assert names == [f"s{number}" for number in range(5)]


def test_backends_of_a_service_and_of_a_site(small: Api) -> None:
    assert small("GET", "/backends?service=api&site=dijon").json()["total"] == 1
    assert small("GET", "/backends?service=other").json() == {"items": [], "total": 0, "next": None}


def test_tokens(api: Api) -> None:
    made = api("POST", "/tokens", json={"name": "bot", "role": "read"}).json()
    assert api.client.get("/sites", headers={"X-API-Token": made["token"]}).status_code == 200
    assert made["token"] not in api("GET", "/tokens").text
    assert api("DELETE", "/tokens/bot").status_code == 204
    assert api.client.get("/sites", headers={"X-API-Token": made["token"]}).status_code == 401


def test_the_whole_inventory_in_and_out(small: Api) -> None:
    before = small("GET", "/inventory").json()
    wanted = before | {"sites": [*before["sites"], {"name": "lyon"}], "backends": []}
    told = small("PUT", "/inventory?dry_run=true", json=wanted).json()
    assert [(one["what"], one["kind"]) for one in told["changes"]] == [("remove", "backend"), ("add", "site")]
    assert small("GET", "/inventory").json() == before
    assert small("PUT", "/inventory", json=wanted).json()["done"] is True
    assert small("PUT", "/inventory", json=wanted).json()["changes"] == []


def test_health(small: Api, database: Database) -> None:
    assert small("GET", "/backends/1").json()["last_checked"] is None
    moment = datetime(2030, 1, 1, tzinfo=UTC)
    with database.writing() as session:
        seen.record(session, [Seen("api", "10.0.0.1:80", False, moment, 3.5, "status 500", True)])
    one = small("GET", "/backends/1").json()
    assert (one["is_healthy"], one["last_checked"], one["detail"]) == (False, "2030-01-01T00:00:00Z", "status 500")
    (event,) = small("GET", "/backends/1/events").json()["items"]
    assert (event["status"], event["latency_ms"]) == ("down", 3.5)
    state = BackendState("api", "dijon", "10.0.0.1:80", "up", True, False)
    for states, edge, status in (
        ([state], small.daemon.now, "ok"),
        ([state, replace(state, address="x", verdict="down", in_use=False)], small.daemon.now, "degraded"),
        ([state], replace(small.daemon.now, in_force="b"), "degraded"),
        ([replace(state, verdict="down", in_use=False)], small.daemon.now, "down"),
    ):
        small.daemon.states, small.daemon.now = states, edge
        assert small("GET", "/health/summary").json()["status"] == status
        small.daemon.now = replace(edge, in_force="a")
    assert small("GET", "/health/backends").json()[0]["verdict"] == "down"
    metrics = small("GET", "/metrics").text
    assert 'multisite_backend_up{backend="10.0.0.1:80",service="api",site="dijon"} 0.0' in metrics
    assert "multisite_looks_total 5.0" in metrics


def test_versions(small: Api, database: Database) -> None:
    with database.changing() as session:
        id_ = versions.noted(session, "a" * 64, {"apps": {}}, datetime.now(UTC)).id
    assert small("POST", f"/config/versions/{id_}/hold").json()["held"] is True
    assert small("GET", f"/config/versions/{id_}").json()["document"] == {"apps": {}}
    assert small("POST", "/config/release").status_code == 204
    assert small("GET", "/config/versions").json()[0]["held"] is False


def test_a_database_that_is_gone_is_503_and_healthz_lives(small: Api, database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("DROP TABLE api_tokens"))
    answer = small("GET", "/sites")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert answer.json()["detail"].startswith("database: ")
    assert "\n" not in answer.json()["detail"]
    assert small.client.get("/healthz").status_code == 200


def test_an_agent_may_report_its_own_machine_and_nothing_else(api: Api) -> None:
    with_name = {"site": "dijon", "address": "10.0.0.1", "cpu_millis": 1000, "memory_mb": 1000}
    assert api("PUT", "/machines/agent/report", role="agent", json=with_name).status_code == 200
    assert api("PUT", "/machines/other/report", role="agent", json=with_name).status_code == 403
    assert api("PUT", "/machines/read/report", role="read", json=with_name).status_code == 403
    assert api("GET", "/machines", role="agent").status_code == 403
    assert api("PUT", "/machines/other/report", role="operate", json=with_name).status_code == 200
    assert [one["name"] for one in api("GET", "/machines", role="read").json()] == ["agent", "other"]
    assert api("GET", "/sites", role="read").json()["items"][0]["name"] == "dijon"
    assert api("DELETE", "/machines/other").status_code == 409
    assert api("DELETE", "/machines/nobody").status_code == 404
    assert api("GET", "/replicas").json() == []


def test_what_is_to_be_deployed_is_kept_and_checked(api: Api) -> None:
    service = {"name": "api", "domains": ["api.test"], "deploy": {"image": "web:1", "port": 80, "replicas": 3}}
    made = api("POST", "/services", json=service)
    assert made.status_code == 201
    assert made.json()["deploy"]["max_per_machine"] == 1
    more = made.json()["deploy"] | {"replicas": 5}
    assert api("PATCH", "/services/api", json={"deploy": more}).json()["deploy"]["replicas"] == 5
    for wrong in ({"exclusive": True}, {"image": "-x"}, {"mounts": ["relative:/x"]}, {"port": 0}, {"unknown": 1}):
        assert api("PATCH", "/services/api", json={"deploy": more | wrong}).status_code == 422, wrong
    assert api("PATCH", "/services/api", json={"deploy": more | {"sites": ["nowhere"]}}).status_code == 404
    assert api("GET", "/inventory").json()["services"][0]["deploy"]["replicas"] == 5
    assert api("PATCH", "/services/api", json={"deploy": None}).json()["deploy"] is None
