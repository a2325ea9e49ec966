"""An API keeps to its own OpenAPI: schemathesis asks it whatever the schema allows."""

from collections.abc import Mapping
from typing import Any

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

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def operations_of(application: Any) -> list[Any]:
    """Those that its ``/openapi.json`` has."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", application)
    return [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]


def keeps_to_it(operation: Any, headers: Mapping[str, str], examples: int) -> None:
    """Ask an operation a number of times."""

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck), database=None, deadline=None)
    @given(case=operation.as_strategy())
    def asked(case: Any) -> None:
        case.call_and_validate(headers=dict(headers), checks=CHECKS)

    asked()
