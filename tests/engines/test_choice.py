"""Nodes are given to the engines of their names."""

import os
import shutil
from collections.abc import Iterator

import pytest

from harness.engines.choice import engine_of_nodes, places_of
from harness.engines.local import LocalEngine
from harness.engines.mixed import MixedEngine
from harness.errors import EngineError, UsageError
from harness.rundir import RunDirectory
from tests.engines.hosted_runs import needs


@pytest.fixture
def run() -> Iterator[RunDirectory]:
    """Of a run without nodes."""
    directory = RunDirectory.create(f"test-choice-{os.getpid()}")
    yield directory
    shutil.rmtree(directory.disks, ignore_errors=True)
    directory.discard()


@needs("local")[0]
def test_one_engine_is_itself(run: RunDirectory) -> None:
    assert isinstance(engine_of_nodes({"n1": "local", "n2": "local"}, run), LocalEngine)


@needs("local")[0]
def test_an_engine_that_is_none_is_named(run: RunDirectory) -> None:
    with pytest.raises(UsageError, match="there is no engine 'vmware'; allowed: local, docker"):
        engine_of_nodes({"n1": "local", "n2": "vmware"}, run)


@needs("uml")[0]
def test_each_node_is_its_own_engines(run: RunDirectory) -> None:
    engine = engine_of_nodes({"n1": "uml", "n2": "local"}, run)
    assert isinstance(engine, MixedEngine)
    assert engine.name == "uml+local"
    assert engine.capabilities("n1").own_kernel
    assert not engine.capabilities("n2").own_kernel
    with pytest.raises(EngineError, match="there is no node n3"):
        engine.pid("n3")


def test_a_node_with_a_kernel_of_its_own_takes_the_places_of_two() -> None:
    assert places_of(["local", "docker", "uml"]) == 4
