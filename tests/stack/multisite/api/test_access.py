"""Who was given a token is known, and who was robbed of it is known at once, whoever did that."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from harness.stack.multisite.inventory import tokens
from harness.stack.multisite.inventory.database import Database, open_database
from tests.stack.multisite.api.conftest import Api


@contextmanager
def another_process(database: Database) -> Iterator[Session]:
    """Somebody who has the database as well, such as `multisite token`."""
    other = open_database(database.engine.url.render_as_string(hide_password=False))
    with other.writing() as session:
        yield session
    other.close()


def test_a_token_that_somebody_else_took_back_is_refused_at_once(api: Api, database: Database) -> None:
    for _ in range(3):
        assert api("GET", "/sites", "read").status_code == 200
    with another_process(database) as session:
        tokens.remove(session, "read")
    assert api("GET", "/sites", "read").status_code == 401
    assert api("GET", "/sites").status_code == 200


def test_a_token_with_another_role_may_do_what_that_may(api: Api, database: Database) -> None:
    assert api("POST", "/sites", "operate", json={"name": "dijon"}).status_code == 201
    with another_process(database) as session:
        row = next(one for one in tokens.every(session) if one.name == "operate")
        row.role = "read"
    assert api("POST", "/sites", "operate", json={"name": "lyon"}).status_code == 403


def test_one_that_was_unknown_is_known_once_it_is_given(api: Api, database: Database) -> None:
    assert api("GET", "/sites", headers={"X-API-Token": "ms_nobody"}).status_code == 401
    with another_process(database) as session:
        _, given = tokens.create(session, "new", tokens.Role.read, datetime.now(UTC))
    assert api("GET", "/sites", headers={"X-API-Token": given}).status_code == 200


def test_who_asks_again_is_looked_up_again_only_where_nobody_says_that_nothing_changed(
    api: Api, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up, look_up = [], tokens.bearer_of

    def counted(session: Session, token: str) -> tuple[str, tokens.Role] | None:
        looked_up.append(token)
        return look_up(session, token)

    monkeypatch.setattr(tokens, "bearer_of", counted)
    for _ in range(5):
        assert api("GET", "/sites").status_code == 200
    assert len(looked_up) == (5 if database.generation() is None else 1)


def test_a_generation_is_another_one_after_each_change_of_anybody(database: Database) -> None:
    before = database.generation()
    if before is None:
        pytest.skip("not shown here: a server would have to be asked")
    assert database.generation() == before
    with database.changing():
        pass
    own = database.generation()
    with another_process(database) as session:
        tokens.create(session, "new", tokens.Role.read, datetime.now(UTC))
    assert len({before, own, database.generation()}) == 3
