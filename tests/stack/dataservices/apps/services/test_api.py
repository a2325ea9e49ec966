"""The API as a process, with a real PostgreSQL: what it acknowledges is there, and what it says of itself is so."""

import http.client
import json
from pathlib import Path

import pytest

from tests.stack.dataservices.apps.services.programs import (
    PASSWORD,
    Database,
    api_settings,
    ask,
    database,
    free_port,
    running,
)

pytestmark = pytest.mark.promise("S4-64")


def test_what_is_acknowledged_is_there_for_every_other_api(server: Path, postgresql: Database) -> None:
    settings = api_settings(postgresql.port)
    with running(server, "api", **settings) as one, running(server, "api", **settings) as other:
        for note in ("first", "a%20b%2Fc", "%C3%A9", "first"):
            assert ask(one, f"/notes/mine/{note}", "PUT")[0] == 200
        status, body = ask(other, "/notes/mine")
        assert (status, json.loads(body)["notes"], json.loads(body)["reads"]) == (200, ["first", "a b/c", "é"], None)
        assert json.loads(ask(other, "/notes/another")[1])["notes"] == []


def test_what_it_does_not_know_changes_nothing(server: Path, postgresql: Database) -> None:
    with running(server, "api", **api_settings(postgresql.port)) as port:
        for method, path in (
            ("GET", "/"),
            ("POST", "/notes/b/1"),
            ("DELETE", "/notes/b/1"),
            ("PUT", f"/notes/b/{'x' * 100}"),
        ):
            assert ask(port, path, method)[0] == 404, (method, path)
        assert ask(port, "/notes/b/1", "PUT", b"x" * 70000)[0] == 413
        assert json.loads(ask(port, "/notes/b")[1])["notes"] == []


def test_a_connection_serves_several_requests(server: Path, postgresql: Database) -> None:
    with running(server, "api", **api_settings(postgresql.port)) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        for body in (b"of no use", None, b"{}"):
            connection.request("PUT", "/notes/several/1", body)
            answer = connection.getresponse()
            assert (answer.status, json.load(answer)["note"]) == (200, "1")
        connection.close()


def test_it_is_ready_while_its_database_is_and_alive_all_along(server: Path) -> None:
    with database() as own, running(server, "api", **api_settings(own.port)) as port:
        status, said = ask(port, "/readyz")
        assert (status, '"postgresql": "yes"' in said) == (503, False), "without its table it could not keep a note"
        assert ask(port, "/healthz")[0] == 200
        create_table(own)
        assert ask(port, "/readyz")[0] == 200
        assert ask(port, "/notes/b/1", "PUT")[0] == 200
        own.stop()
        status, said = ask(port, "/readyz")
        assert (status, "refused" in said) == (503, True)
        assert ask(port, "/healthz")[0] == 200
        assert ask(port, "/notes/b/2", "PUT")[0] in (503, 504)
        assert ask(port, "/notes/b")[0] == 503
        own.start()
        assert ask(port, "/readyz")[0] == 200
        assert json.loads(ask(port, "/notes/b")[1])["notes"] == ["1"]


def create_table(own: Database) -> None:
    """As module 10 does it on a balancer."""
    from harness.stack.dataservices.apps.services.api import CREATE
    from harness.stack.dataservices.apps.services.postgres import Connection

    connection = Connection("127.0.0.1", own.port, user="app", database="postgres", password=PASSWORD, within_s=20)
    connection.asked(CREATE)
    connection.close()


def test_a_balancer_that_is_gone_is_passed_by(server: Path, postgresql: Database) -> None:
    places = [f"127.0.0.1:{free_port()}", f"127.0.0.1:{postgresql.port}"]
    with running(server, "api", **api_settings(postgresql.port, postgresql=places)) as port:
        assert ask(port, "/readyz")[0] == 200
        assert ask(port, "/notes/passed/1", "PUT")[0] == 200


def test_without_redis_it_works_and_says_so(server: Path, postgresql: Database) -> None:
    redis = {"redis": [f"127.0.0.1:{free_port()}"], "redis_password": "x"}
    with running(server, "api", **api_settings(postgresql.port, **redis)) as port:
        status, said = ask(port, "/readyz")
        assert status == 200
        assert "refused" in json.loads(said)["redis"]
        assert json.loads(ask(port, "/notes/no-redis")[1])["reads"] is None


def test_one_with_a_wrong_password_is_never_ready(server: Path, postgresql: Database) -> None:
    with running(server, "api", **api_settings(postgresql.port, password="wrong")) as port:
        status, said = ask(port, "/readyz")
        assert (status, "password authentication failed" in said) == (503, True)
        assert PASSWORD not in said
