"""Runs on the engines that need a daemon, for their tests; afterwards nothing of them may be left anywhere."""

import itertools
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from harness.engines.choice import engine_for, why_unusable
from harness.engines.engine import Engine
from harness.keeper import Keeper
from harness.reap import leftovers
from harness.rundir import RunDirectory

_numbers = itertools.count(1)


def needs(engine: str) -> list[pytest.MarkDecorator]:
    """Marks that skip, saying why, where this engine cannot be used."""
    reason = "nodes need root" if os.geteuid() != 0 else why_unusable(engine)
    return [pytest.mark.skipif(reason is not None, reason=f"not shown here: {reason}")]


@asynccontextmanager
async def engines(name: str) -> AsyncIterator[Callable[[], Engine]]:
    """Makes engines, each with a run and a keeper of its own."""
    keepers: list[Keeper] = []

    def make() -> Engine:
        run = RunDirectory.create(f"test-{name}-{os.getpid()}-{next(_numbers)}")
        keepers.append(Keeper.start(run))
        return engine_for(name, run)

    yield make
    for keeper in keepers:
        await keeper.end()
        assert leftovers(keeper.run.run_id) == []
