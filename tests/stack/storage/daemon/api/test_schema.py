"""The API keeps to its own OpenAPI: schemathesis asks it whatever the schema allows."""

import io
from collections.abc import Mapping
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

from harness.stack.storage.autonomy.core import Level
from harness.stack.storage.daemon.api.app import application
from harness.stack.storage.daemon.autonomy import Autonomy
from harness.stack.storage.daemon.log import LineLog
from harness.stack.storage.daemon.settings import Settings
from harness.stack.storage.daemon.tokens import Role
from harness.stack.storage.places import Places

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 10


@pytest.fixture
def autonomy(tmp_path: Path) -> Autonomy:
    """On the first level: whatever is asked, nothing of this host is changed."""
    places = Places(tmp_path / "state", tmp_path / "run")
    return Autonomy(places, Settings(level=Level.READ_ONLY), LineLog(io.StringIO()))


def test_it_keeps_to_its_schema(autonomy: Autonomy) -> None:
    headers = {"Authorization": f"Bearer {autonomy.tokens.create('me', Role.admin)}"}
    schema = schemathesis.openapi.from_asgi("/openapi.json", application(autonomy))
    operations: list[Any] = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    assert len(operations) > 18
    for operation in operations:
        if operation.path != "/v1/level":  # every other level changes something
            keeps_to_it(operation, headers)


def keeps_to_it(operation: Any, headers: Mapping[str, str]) -> None:
    """Ask an operation a number of times."""

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), database=None, deadline=None)
    @given(case=operation.as_strategy())
    def asked(case: Any) -> None:
        case.call_and_validate(headers=dict(headers), checks=CHECKS)

    asked()
