"""What tests of the services share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.stack.dataservices.apps.services.api import CREATE
from harness.stack.dataservices.apps.services.postgres import Connection
from tests.stack.dataservices.apps.services.programs import PASSWORD, Database, database, lay_out


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Database]:
    """One for all of them."""
    with database() as server:
        connection = Connection(
            "127.0.0.1", server.port, user="app", database="postgres", password=PASSWORD, within_s=20
        )
        connection.asked(CREATE)
        connection.close()
        yield server


@pytest.fixture
def server(tmp_path: Path) -> Path:
    """A folder with the programs, as on a server."""
    lay_out(tmp_path)
    return tmp_path
