"""The front as a process, with real APIs behind it: a page of what they have, or one that says so."""

from pathlib import Path

import pytest

from tests.stack.dataservices.apps.services.programs import Database, api_settings, ask, free_port, running

pytestmark = pytest.mark.promise("S4-64")


def test_a_page_of_what_the_api_has(server: Path, postgresql: Database) -> None:
    with (
        running(server, "api", **api_settings(postgresql.port)) as api,
        running(server, "front", apis=[f"127.0.0.1:{api}"]) as port,
    ):
        assert ask(api, "/notes/page/%3Cb%3E%26", "PUT")[0] == 200
        status, page = ask(port, "/page")
        assert status == 200
        assert "<li>&lt;b&gt;&amp;</li>" in page, "what somebody has written is no part of the page"
        assert "1 notes; asked by " in page
        assert ask(port, "/%3Cscript%3E")[1].count("<script>") == 0
        assert ask(port, "/")[0] == ask(port, "/readyz")[0] == ask(port, "/healthz")[0] == 200
        assert ask(port, "/a/b")[0] == ask(port, "/", "POST")[0] == 404


def test_another_api_is_asked_where_its_own_is_gone_or_has_nothing(server: Path, postgresql: Database) -> None:
    with (
        running(server, "api", **api_settings(free_port())) as without_database,
        running(server, "api", **api_settings(postgresql.port)) as well,
    ):
        for first in (free_port(), without_database):
            with running(server, "front", apis=[f"127.0.0.1:{first}", f"127.0.0.1:{well}"]) as port:
                assert ask(port, "/page")[0] == 200
                assert ask(port, "/readyz")[0] == 200


def test_where_nobody_has_the_notes_the_page_says_so(server: Path) -> None:
    with (
        running(server, "api", **api_settings(free_port())) as api,
        running(server, "front", apis=[f"127.0.0.1:{api}"]) as port,
    ):
        status, page = ask(port, "/page")
        assert (status, "cannot be read now" in page) == (503, True)
        status, said = ask(port, "/readyz")
        assert status == 200, "it can still tell people"
        assert "refused" in said, "and it does not say that all is well"


def test_without_any_api_it_is_not_ready_and_alive(server: Path) -> None:
    with running(server, "front", apis=[f"127.0.0.1:{free_port()}"]) as port:
        status, said = ask(port, "/readyz")
        assert (status, '"api": "127.0.0.1:' in said) == (503, True)
        assert ask(port, "/healthz")[0] == 200
