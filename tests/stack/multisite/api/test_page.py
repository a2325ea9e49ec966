"""The page: who may see it, what it says, and that nothing of a name or a detail becomes part of its code."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from harness.stack.multisite.api.live import BackendState, EdgeState, overall
from harness.stack.multisite.api.page import view
from harness.stack.multisite.api.page.routes import COOKIE, LANGUAGE_COOKIE, Diffs
from harness.stack.multisite.api.page.words import _WORDS, LANGUAGES, language_of, words
from harness.stack.multisite.inventory import seen, versions
from harness.stack.multisite.inventory.database import Database
from harness.stack.multisite.inventory.seen import Seen
from harness.stack.multisite.inventory.tables import ConfigVersionRow
from tests.stack.multisite.api.conftest import Api

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
UP = BackendState("api", "dijon", "10.0.0.1:80", "up", in_use=True, draining=False)


def look(api: Api, path: str = "/", **headers: str) -> str:
    """By who has a token."""
    answer = api.client.get(path, headers={"Cookie": f"{COOKIE}={api.tokens['read']}", **headers})
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def test_who_has_no_token_is_asked_for_one_and_sees_nothing(api: Api) -> None:
    asked = api.client.get("/")
    assert asked.status_code == 200
    assert 'type="password"' in asked.text
    assert api.client.get("/page/state").status_code == 401
    wrong = api.client.get("/", headers={"Cookie": f"{COOKIE}=nonsense"})
    assert wrong.status_code == 401
    assert "Nobody was given this token." in wrong.text


def test_a_token_is_kept_where_no_script_reads_it(api: Api) -> None:
    answer = api.client.post("/login", data={"token": api.tokens["read"]}, follow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    kept = answer.headers["Set-Cookie"]
    assert "HttpOnly" in kept
    assert "SameSite=strict" in kept
    assert "Log out" in api.client.get("/").text, "the client has the cookie now"
    api.client.post("/logout")
    assert "Log out" not in api.client.get("/").text


def test_it_shows_who_serves_and_why(small: Api, database: Database) -> None:
    small.daemon.states = [
        UP,
        replace(UP, site="lyon", address="10.0.0.2:80", verdict="down", in_use=False),
        replace(UP, site="thory", address="10.0.0.3:80", in_use=False),
    ]
    with database.writing() as session:
        seen.record(session, [Seen("api", "10.0.0.1:80", True, NOW, 1.5, None, True)])
    text_ = look(small)
    of_service = text_.split("<table")[2]
    assert of_service.index("takes traffic") < of_service.index("stands by") < of_service.index(">down<")
    assert "1.5 ms" in text_
    assert "2 of 3 backends answer" in text_
    assert "Something does not work" in text_
    assert "2026-01-02 03:04:05 UTC" in text_


def test_who_was_silent_and_ended_by_us_is_told_in_plain_words(small: Api, database: Database) -> None:
    small.daemon.states = [replace(UP, verdict="down", in_use=False)]
    with database.writing() as session:
        seen.record(session, [Seen("api", "10.0.0.1:80", True, NOW, 1.5, None, True)])
        seen.record(session, [Seen("api", "10.0.0.1:80", False, NOW + timedelta(1), None, seen.SILENT, True)])
    assert look(small).count("it was silent, so we ended the connection") == 3, "why, what happened, and one look"
    assert look(small, **{"Accept-Language": "fr"}).count("il se taisait, nous avons donc coupé la connexion") == 3


def test_nothing_that_somebody_wrote_becomes_code(small: Api, database: Database) -> None:
    evil = "<script>alert(1)</script>"
    small.daemon.states = [replace(UP, verdict="down", in_use=False)]
    small.daemon.now = EdgeState(False, None, None, False, 0, 0, evil)
    with database.writing() as session:
        seen.record(session, [Seen("api", "10.0.0.1:80", False, NOW, None, evil, True)])
    answer = look(small)
    assert "<script>alert" not in answer
    assert "&lt;script&gt;alert" in answer
    headers = small.client.get("/").headers
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


def test_it_shows_what_the_edge_was_given(small: Api, database: Database) -> None:
    with database.writing() as session:
        versions.noted(session, "a" * 64, {"port": 80}, NOW)
        versions.applied(session, "a" * 64, NOW)
        versions.noted(session, "b" * 64, {"port": 81}, NOW)
        versions.refused(session, "b" * 64, "no such module")
    answer = look(small, "/page/state")
    assert "aaaaaaaaaaaa" in answer
    assert "no such module" in answer
    assert "-&#34;port&#34;: 80" in answer.replace("- ", "-").replace("-  ", "-")


def test_without_its_database_nobody_can_be_known(small: Api, database: Database) -> None:
    if database.engine.dialect.name != "sqlite":
        pytest.skip("one kind shows it")
    with database.engine.begin() as connection:
        connection.execute(text("DROP TABLE api_tokens"))
    assert small.client.get("/", headers={"Cookie": f"{COOKIE}=x"}).status_code == 503


def test_it_speaks_the_readers_language(small: Api) -> None:
    small.daemon.states = [UP]
    assert "sert" in look(small, **{"Accept-Language": "fr-FR,fr;q=0.9,en;q=0.5"})
    assert "takes traffic" in look(small, **{"Accept-Language": "de,en;q=0.5,fr;q=0.3"})
    small.client.post("/language", data={"language": "fr"})
    assert small.client.cookies[LANGUAGE_COOKIE] == "fr"


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        (None, None, "en"),
        ("fr", "en", "fr"),
        ("xx", "fr", "fr"),
        (None, "en;q=0.1, fr;q=0.9", "fr"),
        (None, "fr;q=x, en", "en"),
        (None, "*", "en"),
    ],
)
def test_the_language_is_the_one_chosen_or_the_browsers(
    chosen: str | None, accepted: str | None, language: str
) -> None:
    assert language_of(chosen, accepted) == language


def test_every_word_is_there_in_each_language() -> None:
    assert all(all(texts) and len(texts) == len(LANGUAGES) for texts in _WORDS.values())
    assert words("fr")["in-use"] == "sert"


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (UP, ("in-use", "well")),
        (replace(UP, verdict="unknown"), ("in-use", "unseen")),
        (replace(UP, verdict="down"), ("in-use", "down-but-kept")),
        (replace(UP, draining=True), ("draining", "nobody-else")),
        (replace(UP, draining=True, in_use=False), ("draining", "drained")),
        (replace(UP, in_use=False), ("waiting", "others-first")),
        (replace(UP, in_use=False, verdict="down", draining=True), ("down", "does-not-answer")),
    ],
)
def test_each_state_has_its_reason(state: BackendState, shown: tuple[str, str]) -> None:
    (found,) = view.services([state], {})["api"]
    assert (found.state, found.why) == shown
    assert found.state in words("en")
    assert found.why in words("en")


def test_sites_stand_in_the_order_in_which_they_take_traffic() -> None:
    states = [
        replace(UP, site="lyon", in_use=False),
        replace(UP, verdict="down", in_use=False),
        replace(UP, site="metz", verdict="down", in_use=False),
        replace(UP, site="unknown to the database"),
    ]
    assert view.sites(states, {"metz": 3, "lyon": 2, "dijon": 1, "thory": 2}) == [
        view.Site("dijon", 1, 0, 1, "down"),
        view.Site("lyon", 2, 1, 1, "waiting"),
        view.Site("thory", 2, 0, 0, "empty"),
        view.Site("metz", 3, 0, 1, "down"),
        view.Site("unknown to the database", None, 1, 1, "in-use"),
    ]
    assert view.sites([], {}) == []


def test_what_happened_is_told_from_what_was_kept() -> None:
    looks = [
        view.Look(up, NOW + timedelta(minutes=minute), "") for minute, up in enumerate((True, True, False, False, True))
    ]
    kept = {("api", UP.address): view.Kept("", 1.0, tuple(looks))}
    told = view.turns([UP, replace(UP, address="10.0.0.2:80")], kept)
    assert [(one.look.up, one.look.at.minute, one.address) for one in told] == [
        (True, 8, UP.address),
        (False, 6, UP.address),
    ]
    often = tuple(view.Look(minute % 2 == 0, NOW + timedelta(minutes=minute), "") for minute in range(30))
    newest = view.turns([UP], {("api", UP.address): view.Kept("", None, often)})
    assert [one.look for one in newest] == list(reversed(often))[: view.MOST_TURNS]
    assert view.turns([UP], {("api", UP.address): view.Kept("", None, ())}) == []


EDGE = EdgeState(True, "a", "a", False, 1, 0, None)


@pytest.mark.parametrize(
    ("states", "edge", "word"),
    [
        ([], EDGE, "ok"),
        ([UP], EDGE, "ok"),
        ([UP], replace(EDGE, in_force="b"), "degraded"),
        ([UP], replace(EDGE, reachable=False), "degraded"),
        ([UP, replace(UP, address="x:1", in_use=False, verdict="down")], EDGE, "degraded"),
        ([replace(UP, in_use=False, verdict="down")], EDGE, "down"),
        ([UP, replace(UP, service="shop", in_use=False, verdict="down")], EDGE, "down"),
    ],
)
def test_one_word_for_all_of_it(states: list[BackendState], edge: EdgeState, word: str) -> None:
    assert overall(states, edge) == word


def test_a_long_difference_says_how_much_is_left_out() -> None:
    before, after = ({str(number): at for number in range(1000)} for at in (0, 1))
    lines = view.differences(before, after)
    assert len(lines) == view.MOST_DIFF_LINES + 1
    assert lines[-1].startswith("... ")
    assert Diffs().of(None, ConfigVersionRow(digest="a", document=after)) == ()
