"""What every action must do that a subject lets an operator do: one body, for all that are declared.

A test class names the subjects that run, the first of which declares actions, and whom they are done to.
"""

import asyncio
import secrets
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from harness.cluster import Cluster
from harness.design import ClusterDesign
from harness.fault import Effect
from harness.faults.operator import Operate
from harness.images import ensure_image
from harness.keeper import Keeper
from harness.rundir import RunDirectory
from harness.subjects.subject import Subject
from harness.topology import load
from harness.upright import take_up, write_down
from harness.wait import until
from tests.clusters import TOPOLOGY
from tests.contracts.fault import until_it_bites

_ROOT = Path(__file__).parents[2]
_SOON_S, _BITES_S = 60.0, 60.0


class OperatorContract:
    """The tests: on one cluster that is left up."""

    subjects: tuple[Subject, ...]
    nodes: tuple[str, ...]
    topology = TOPOLOGY

    @pytest.fixture(scope="class")
    @classmethod
    def run_id(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
        """A cluster that has settled."""
        found = f"test-{secrets.token_hex(5)}"
        cluster = Cluster(
            ClusterDesign(
                scenario="the contract of operators",
                topology=load(cls.topology),
                subjects=cls.subjects,
                image=ensure_image(),
                engine="local",
                seed=7,
                run_id=found,
                run_directory=tmp_path_factory.mktemp("contract") / found,
            )
        )

        async def leave() -> None:
            try:
                await cluster.start()
                await cluster.until_settled()
                write_down(cluster.design)
            except BaseException:
                await cluster.end()
                raise
            await cluster.leave_up()

        asyncio.run(leave())
        try:
            yield found
        finally:
            asyncio.run(Keeper.of(RunDirectory(found)).end())

    @pytest.fixture
    async def cluster(self, run_id: str) -> AsyncIterator[Cluster]:
        """The cluster, as it is without any fault."""
        taken = take_up(run_id)
        try:
            yield taken
        finally:
            taken.let_go()

    def actions(self, cluster: Cluster) -> list[tuple[str, str]]:
        """What is declared, of each of the nodes."""
        found = []
        for node in self.nodes:
            declared = self.subjects[0].operator_actions(node, cluster.topology, cluster.plan)
            assert declared
            found += [(node, one.name) for one in declared]
        return found

    async def test_each_is_seen_and_taken_back_also_twice(self, cluster: Cluster) -> None:
        for node, action in self.actions(cluster):
            fault = Operate(node, action)
            async with cluster.under(fault):
                assert (await fault.see(cluster)).effect is Effect.ALL
            for undo in (*fault.aim(cluster), *fault.aim(cluster)):
                await asyncio.to_thread(undo.carry_out, RunDirectory(cluster.design.run_id))
            assert (await fault.see(cluster)).effect is Effect.NONE
        assert cluster.life.journal.open_faults() == ()

    async def test_each_is_taken_back_when_who_did_it_is_killed(self, cluster: Cluster) -> None:
        for node, action in self.actions(cluster):
            fault = Operate(node, action)
            fault.aim(cluster)
            words = ["--cluster", cluster.design.run_id, fault.name, node, action]
            command = [sys.executable, "-m", "harness.cli.main", "fault", *words]
            injector = await asyncio.create_subprocess_exec(*command, cwd=_ROOT, stdout=PIPE, stderr=STDOUT)
            try:
                said = await asyncio.wait_for(until_it_bites(injector), _BITES_S)
                assert said.endswith("healed on Ctrl-C\n"), said
                assert (await fault.see(cluster)).effect is Effect.ALL
            finally:
                injector.kill()
                await injector.wait()

            async def is_gone(fault: Operate = fault) -> bool:
                return not cluster.life.journal.open_faults() and (await fault.see(cluster)).effect is Effect.NONE

            await until(is_gone, within_s=_SOON_S, what=f"the keeper takes {action} back")
