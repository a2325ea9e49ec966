"""What every fault must do, on every engine that can: one body, run for each fault that is declared.

The cluster is one that was left up, so that what is killed is the command ``harness fault``, as a person runs it.
"""

import asyncio
import json
import os
import re
import secrets
import subprocess
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from harness.checks.standing import fault_bit
from harness.checks.verdict import Outcome
from harness.cluster import Cluster
from harness.design import ClusterDesign
from harness.errors import FaultDidNotBite, FaultImpossible, HarnessError, UsageError
from harness.events import FaultEffective, FaultHealed, FaultInjected, FaultWithoutEffect
from harness.fault import Effect, Fault
from harness.faults.catalogue import catalogue
from harness.faults.daemons import processes_of
from harness.faults.declaration import Choice, Quantity
from harness.faults.written import example_of, written
from harness.history import History
from harness.images import ensure_image
from harness.keeper import Keeper
from harness.rundir import RunDirectory
from harness.subjects.redis.rest import is_at_rest
from harness.subjects.redis.subject import Redis
from harness.topology import load
from harness.upright import take_up, write_down
from harness.wait import until
from tests.clusters import TOPOLOGY

DAEMON = "redis-server"
_SOON_S = 20.0
_BITES_S = 30.0
_ROOT = Path(__file__).parents[2]


def start(engine: str, directory: Path) -> str:
    """A cluster of three nodes that run Redis, left up; gives its run id."""
    run_id = f"test-{secrets.token_hex(5)}"
    cluster = Cluster(
        ClusterDesign(
            scenario="the contract of faults",
            topology=load(TOPOLOGY),
            subjects=(Redis(),),
            image=ensure_image(),
            engine=engine,
            seed=7,
            run_id=run_id,
            run_directory=directory,
        )
    )

    async def leave() -> None:
        await cluster.start(observed=False)
        write_down(cluster.design)
        await cluster.leave_up()

    asyncio.run(leave())
    return run_id


def fault_called(name: str) -> Fault[Cluster]:
    """A fault as its own example has it."""
    return example_of(catalogue()[name])


class FaultContract:
    """The behaviour that harness.fault.Fault promises. A test class names the engine."""

    engine: str

    @pytest.fixture(scope="class")
    @classmethod
    def run_id(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
        """One cluster for all faults."""
        found = start(cls.engine, tmp_path_factory.mktemp("contract"))
        try:
            yield found
        finally:
            asyncio.run(Keeper.of(RunDirectory(found)).end())

    @pytest.fixture
    async def cluster(self, run_id: str) -> AsyncIterator[Cluster]:
        """The cluster, as it is without any fault."""
        taken = take_up(run_id)
        try:
            await self.settled(taken)
            yield taken
        finally:
            taken.let_go()

    async def settled(self, cluster: Cluster) -> None:
        """Wait until every node runs its daemon, at rest, and nothing is left to heal."""

        async def is_settled() -> bool:
            nodes = cluster.topology.node_names
            if cluster.life.journal.open_faults():
                return False
            if not all(cluster.is_up(node) and processes_of(cluster, node, DAEMON) for node in nodes):
                return False
            told = await asyncio.gather(*(cluster.engine.exec(node, ("redis-cli", "info")) for node in nodes))
            return all(is_at_rest(one.stdout) for one in told)

        await until(is_settled, within_s=_SOON_S, what=f"{DAEMON} runs everywhere")

    @pytest.mark.parametrize("name", tuple(catalogue()))
    async def test_where_it_is_impossible_it_is_refused_before_anything_begins(
        self, cluster: Cluster, name: str
    ) -> None:
        fault = fault_called(name)
        if (reason := fault.lacks(cluster)) is None:
            pytest.skip(f"possible on {self.engine}")
        before = len(History.read(cluster.run_directory).events)
        with pytest.raises(FaultImpossible, match=re.escape(reason)):
            async with cluster.under(fault):
                pytest.fail("the block must not run without its fault")
        assert len(History.read(cluster.run_directory).events) == before
        note_shown(self.engine, name, f"impossible: {reason}")

    @pytest.fixture(params=tuple(catalogue()))
    def fault(self, request: pytest.FixtureRequest, run_id: str) -> Fault[Cluster]:
        """Each fault that is declared."""
        fault = fault_called(request.param)
        cluster = take_up(run_id)
        try:
            reason = fault.lacks(cluster)
        finally:
            cluster.let_go()
        if reason is not None:
            pytest.skip(f"not shown on {self.engine}: {reason}")
        return fault

    async def test_it_bites_and_heals_and_heals_again(self, cluster: Cluster, fault: Fault[Cluster]) -> None:
        before = len(History.read(cluster.run_directory).of(FaultInjected))
        async with cluster.under(fault):
            assert (await self.sight(cluster, fault)) is Effect.ALL
        history = History.read(cluster.run_directory)
        injected = history.of(FaultInjected)[before:]
        assert [event.fault for event in injected] == [fault.name]
        assert injected[0].targets == fault.targets
        assert injected[0].parameters == fault.parameters
        assert history.of(FaultEffective)[-1].evidence
        assert history.of(FaultHealed)[-1].evidence
        assert history.of(FaultHealed)[-1].call_s >= history.of(FaultEffective)[-1].t_s
        await self.settled(cluster)  # a node that is just back empties files as it begins
        again = fault_called(fault.name)  # and what undoes it does no harm where nothing is to be undone
        for action in (*again.aim(cluster), *again.aim(cluster)):
            action.carry_out(RunDirectory(cluster.design.run_id))
        await again.end(cluster)
        await until(lambda: self.is_gone(cluster, again), within_s=_SOON_S, what=f"nothing of {fault.name}")
        assert cluster.life.journal.open_faults() == ()
        note_shown(self.engine, fault.name, "bites")

    async def sight(self, cluster: Cluster, fault: Fault[Cluster]) -> Effect:
        """What is seen of it while it lasts: twice, if the first look was at a moment between two others."""
        seen = await fault.see(cluster)
        return seen.effect if seen.effect is Effect.ALL else (await fault.see(cluster)).effect

    async def is_gone(self, cluster: Cluster, fault: Fault[Cluster]) -> bool:
        """Whether nothing is seen of it."""
        return (await fault.see(cluster)).effect is Effect.NONE

    async def test_it_is_healed_when_who_injected_it_is_killed(self, cluster: Cluster, fault: Fault[Cluster]) -> None:
        await cluster.aimed(lambda: fault.aim(cluster))
        words = ["--cluster", cluster.design.run_id, fault.name, *catalogue()[fault.name].example.split()]
        command = [sys.executable, "-m", "harness.cli.main", "fault", *words]
        injector = await asyncio.create_subprocess_exec(*command, cwd=_ROOT, stdout=PIPE, stderr=STDOUT)
        try:
            said = await asyncio.wait_for(until_it_bites(injector), _BITES_S)
            assert said.endswith("healed on Ctrl-C\n"), said
        finally:
            injector.kill()
            await injector.wait()
        await until(
            lambda: not cluster.life.journal.open_faults(), within_s=_SOON_S, what=f"the keeper heals {fault.name}"
        )
        await fault.end(cluster)
        await until(lambda: self.is_gone(cluster, fault), within_s=_SOON_S, what=f"nothing of {fault.name} is seen")
        note_shown(self.engine, fault.name, "healed by the keeper")

    async def test_made_to_do_nothing_it_makes_the_run_inconclusive(
        self, cluster: Cluster, fault: Fault[Cluster], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def nothing(_cluster: Cluster) -> None:
            """Never mind."""

        monkeypatch.setattr(fault, "inject", nothing)
        monkeypatch.setattr(fault, "bites_within_s", 0.05)
        without = len(History.read(cluster.run_directory).of(FaultWithoutEffect))
        with pytest.raises(FaultDidNotBite):
            async with cluster.under(fault):
                pytest.fail("the block must not run without its fault")
        history = History.read(cluster.run_directory)
        assert len(history.of(FaultWithoutEffect)) == without + 1
        assert fault_bit(history).outcome is Outcome.UNKNOWN

    async def test_it_is_refused_where_there_is_no_such_target(self, cluster: Cluster, fault: Fault[Cluster]) -> None:
        declaration = catalogue()[fault.name]
        if not declaration.aims:
            pytest.skip("it is aimed at the whole topology")
        words = declaration.example.split()
        refused = written(" ".join([fault.name, "nowhere", *words[1:]]))
        before = len(History.read(cluster.run_directory).events)
        with pytest.raises(HarnessError, match="nowhere"):
            async with cluster.under(refused):
                pytest.fail("the block must not run without its fault")
        assert len(History.read(cluster.run_directory).events) == before

    def test_it_is_refused_with_a_value_that_is_not_allowed(self, fault: Fault[Cluster]) -> None:
        declaration = catalogue()[fault.name]
        words = [word for word in declaration.example.split() if not word.startswith("--")]
        aims = words[: len(declaration.aims)] if not any(one.variadic for one in declaration.aims) else words
        wanted = {one.name: (8.0 if one.of is float else 8) for one in declaration.options if one.required}
        for one in declaration.options:
            wrong: list[object] = ["nonsense", None]
            if isinstance(one.says, Quantity):
                wrong += [one.says.at_least - 1, one.says.at_most * 2, float("nan"), float("inf"), True]
            assert isinstance(one.says, Quantity | Choice)
            for value in wrong:
                with pytest.raises(UsageError, match=f"{fault.name}: {one.name} is .*; allowed: "):
                    declaration.make(*aims, **(wanted | {one.name: value}))
        with pytest.raises(UsageError, match=fault.name):
            declaration.make(*aims, nonsense=1)


def note_shown(engine: str, fault: str, what: str) -> None:
    """Write down, in the file that HARNESS_SHOWN names, what was shown: the page of faults is made from it."""
    if not (named := os.environ.get("HARNESS_SHOWN")):
        return
    path = Path(named)
    shown: dict[str, dict[str, list[str]]] = json.loads(path.read_text()) if path.exists() else {}
    of_fault = shown.setdefault(fault, {}).setdefault(engine, [])
    if what not in of_fault:
        of_fault.append(what)
    path.write_text(json.dumps(shown, indent=1, sort_keys=True) + "\n")


async def until_it_bites(injector: Process) -> str:
    """All that a command said until its fault bites, or it ends."""
    assert injector.stdout is not None
    said = ""
    async for line in injector.stdout:
        said += line.decode()
        if "it bites" in said:
            break
    return said


def refused_without(controller: str, run_id: str, *words: str) -> subprocess.CompletedProcess[str]:
    """``harness fault`` where a controller of the control groups is not mounted."""
    command = (
        f"umount /sys/fs/cgroup/{controller} && exec {sys.executable} -m harness.cli.main fault --cluster {run_id}"
    )
    return subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", f'{command} "$@"', "sh", *words],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=_BITES_S,
        env=os.environ,
    )
