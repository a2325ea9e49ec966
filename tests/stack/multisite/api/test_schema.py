"""The API keeps to its own OpenAPI: schemathesis asks it whatever the schema allows."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from harness.stack.multisite.api.app import application
from harness.stack.multisite.inventory import tokens
from harness.stack.multisite.inventory.database import Database, open_database
from tests.stack.multisite.api.conftest import Standing, placing_of

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 12


@pytest.fixture
def inventory(tmp_path: Path) -> Iterator[Database]:
    found = open_database(f"sqlite:///{tmp_path}/inventory.db")
    yield found
    found.close()


def test_it_keeps_to_its_schema(inventory: Database) -> None:
    with inventory.writing() as session:
        headers = {"X-API-Token": tokens.create(session, "me", tokens.Role.admin, datetime.now(UTC))[1]}
    schema = schemathesis.openapi.from_asgi("/openapi.json", application(inventory, Standing(placing_of(inventory))))
    operations: list[Any] = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    assert len(operations) > 25
    for operation in operations:
        keeps_to_it(operation, headers)


def keeps_to_it(operation: Any, headers: Mapping[str, str]) -> None:
    """Ask an operation a number of times."""

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), database=None)
    @given(case=operation.as_strategy())
    def asked(case: Any) -> None:
        case.call_and_validate(headers=dict(headers), checks=CHECKS)

    asked()
