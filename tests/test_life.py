"""The end of a cluster: all that can be had is taken, and all that can be ended is ended."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.errors import HarnessError
from harness.keeper import Keeper
from harness.life import Life
from harness.machines import Machines
from harness.observation import Unobserved
from harness.rundir import RunDirectory


class _DiedBefore(Unobserved):
    """Observers of which one had ended by itself."""

    async def close(self) -> None:
        raise HarnessError("the observer ended by itself")


class _Engine:
    def __init__(self, without_logs: str = "") -> None:
        self.asked: list[str] = []
        self._without_logs = without_logs

    async def logs(self, node: str, into: Path) -> None:
        self.asked.append(node)
        if node == self._without_logs:
            raise HarnessError(f"{node} has no logs")


def _life(engine: _Engine, observation: Unobserved) -> Life:
    topology = SimpleNamespace(node_names=("n1", "n2"))
    machines = cast(Machines, SimpleNamespace(topology=topology, engine=engine, subjects=()))
    return Life(cast(Keeper, SimpleNamespace(run=RunDirectory("none"))), machines, observation, cast(Any, None))


async def test_logs_are_taken_also_when_an_observer_has_died(tmp_path: Path) -> None:
    engine = _Engine()
    with pytest.raises(HarnessError, match="the observer ended by itself"):
        await _life(engine, _DiedBefore()).collect(tmp_path, lambda _node, stamps_s: list(stamps_s))
    assert sorted(engine.asked) == ["n1", "n2"]


async def test_logs_of_one_node_are_taken_also_when_another_has_none(tmp_path: Path) -> None:
    engine = _Engine(without_logs="n1")
    with pytest.raises(HarnessError, match="n1 has no logs"):
        await _life(engine, Unobserved()).collect(tmp_path, lambda _node, stamps_s: list(stamps_s))
    assert sorted(engine.asked) == ["n1", "n2"]
