"""Nodes with kernels of their own pass the contract, and leave nothing on the host."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from harness.engines.engine import Engine, NodeDefinition
from harness.errors import UsageError
from tests.contracts.engine import EngineContract
from tests.engines.hosted_runs import engines, needs

NewEngine = Callable[[], Engine]
pytestmark = needs("uml")


@pytest.fixture
async def new_engine() -> AsyncIterator[NewEngine]:
    """Engines with a run of their own."""
    async with engines("uml") as make:
        yield make


class TestUmlEngine(EngineContract):
    """The contract."""


async def test_nothing_is_mounted_on_the_host(new_engine: NewEngine, node_image: Path) -> None:
    before = Path("/proc/self/mountinfo").read_text()
    engine = new_engine()
    await engine.create(NodeDefinition("n1", node_image))
    await engine.start("n1")
    assert Path("/proc/self/mountinfo").read_text() == before
    await engine.kill("n1")
    await engine.read_file("n1", "/etc/passwd")
    assert Path("/proc/self/mountinfo").read_text() == before


async def test_an_image_without_python_is_refused(new_engine: NewEngine, tmp_path: Path) -> None:
    (tmp_path / "usr").mkdir()
    with pytest.raises(UsageError, match=r"n1: image .* has no python3"):
        await new_engine().create(NodeDefinition("n1", tmp_path))
