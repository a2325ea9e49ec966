"""Databases of both kinds."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from harness.stack.multisite.inventory.database import Database, open_database
from tests.stack.multisite.places import postgresql


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A real server."""
    with postgresql() as server:
        yield server.url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty inventory."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/inventory.db"
    else:
        url = request.getfixturevalue("postgresql_url")
    found = open_database(url)
    yield found
    if request.param == "postgresql":
        with found.engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
    found.close()
