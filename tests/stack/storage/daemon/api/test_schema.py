"""The API keeps to its own OpenAPI."""

import io
from pathlib import Path

import pytest

from harness.stack.storage.autonomy.core import Level
from harness.stack.storage.daemon.api.app import application
from harness.stack.storage.daemon.autonomy import Autonomy
from harness.stack.storage.daemon.log import LineLog
from harness.stack.storage.daemon.settings import Settings
from harness.stack.storage.daemon.tokens import Role
from harness.stack.storage.places import Places
from tests.contracts.openapi import keeps_to_it, operations_of

EXAMPLES = 10


@pytest.fixture
def autonomy(tmp_path: Path) -> Autonomy:
    """On the first level: whatever is asked, nothing of this host is changed."""
    places = Places(tmp_path / "state", tmp_path / "run")
    return Autonomy(places, Settings(level=Level.READ_ONLY), LineLog(io.StringIO()))


def test_it_keeps_to_its_schema(autonomy: Autonomy) -> None:
    headers = {"Authorization": f"Bearer {autonomy.tokens.create('me', Role.admin)}"}
    operations = operations_of(application(autonomy))
    assert len(operations) > 18
    for operation in operations:
        if operation.path != "/v1/level":  # every other level changes something
            keeps_to_it(operation, headers, EXAMPLES)
