"""The API keeps to its own OpenAPI."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.stack.multisite.api.app import application
from harness.stack.multisite.inventory import tokens
from harness.stack.multisite.inventory.database import Database, open_database
from tests.contracts.openapi import keeps_to_it, operations_of
from tests.stack.multisite.api.conftest import Standing, placing_of

EXAMPLES = 12


@pytest.fixture
def inventory(tmp_path: Path) -> Iterator[Database]:
    found = open_database(f"sqlite:///{tmp_path}/inventory.db")
    yield found
    found.close()


def test_it_keeps_to_its_schema(inventory: Database) -> None:
    with inventory.writing() as session:
        headers = {"X-API-Token": tokens.create(session, "me", tokens.Role.admin, datetime.now(UTC))[1]}
    operations = operations_of(application(inventory, Standing(placing_of(inventory))))
    assert len(operations) > 25
    for operation in operations:
        keeps_to_it(operation, headers, EXAMPLES)
