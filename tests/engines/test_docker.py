"""The docker engine passes the contract, and leaves nothing on the host or in its daemon."""

from collections.abc import AsyncIterator, Callable

import pytest

from harness.engines.engine import Engine
from tests.contracts.engine import EngineContract
from tests.engines.hosted_runs import engines, needs

pytestmark = needs("docker")


@pytest.fixture
async def new_engine() -> AsyncIterator[Callable[[], Engine]]:
    """Engines with a run of their own."""
    async with engines("docker") as make:
        yield make


class TestDockerEngine(EngineContract):
    """The contract."""
