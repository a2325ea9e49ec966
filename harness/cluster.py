"""A started topology: nodes with power, plugged into the fabric, watched from outside."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

from harness import wait
from harness.addresses import AddressPlan
from harness.checks.expected import Expected
from harness.clock import now_s
from harness.conditions import Condition
from harness.design import Attachment, ClusterDesign
from harness.engines.choice import engine_of_nodes, loses_unsynced_writes
from harness.engines.engine import Engine
from harness.errors import (
    ClusterGone,
    HarnessError,
    UsageError,
    told,
)
from harness.events import (
    FORMAT,
    Event,
    Expectation,
    HarnessFailed,
    LeftoversSeen,
    LinkShaped,
    NodeStarted,
    NodeStopped,
    Note,
    RunEnded,
    RunStarted,
)
from harness.fabric.fabric import Fabric
from harness.fault import Fault
from harness.healing import DeleteTable, HealAction, PowerOn
from harness.injection import Injection, aimed
from harness.life import Life
from harness.live import LiveView
from harness.machines import Machines
from harness.recording import Recording
from harness.rundir import RunDirectory

__all__ = ("AnyFault", "Cluster", "ClusterDesign")

SETTLE_S = 30.0
SLOW_SETTLE_S = 90.0
"""For clusters with a node that has a kernel of its own: programs take several times as long to start there."""

AnyFault = TypeVar("AnyFault", bound="Fault[Cluster]")
Aim = TypeVar("Aim")


class Cluster:
    """One scenario's cluster. Its constructor only draws it; ``start`` starts it, and after ``end`` it is gone.

    A scenario uses ``until``, ``until_settled``, ``under``, ``holder``, ``power_on``, ``power_cut``, ``shut_down``,
    ``all_but``, ``stay``, ``note``, ``expect``, ``random`` (seeded), and ``topology``.
    """

    def __init__(self, design: ClusterDesign) -> None:
        self.design = design
        self.topology = design.topology
        self.plan = AddressPlan(design.topology, design.run_id)
        self.random = random.Random(design.seed)
        self.run_directory = design.run_directory
        self.progress: Callable[[str], None] = lambda _text: None
        self._live = LiveView()
        self._boots = dict.fromkeys(design.topology.node_names, 0)
        self._fault_count = 0
        self._started_s = now_s()
        self._life: Life | None = None
        self._attachments: list[Attachment] = []
        self._attachments_begun = False
        self._recording = Recording(design.run_directory)

    def attach(self, attachment: Attachment) -> int:
        """Have something begin and end with the cluster; returns how many were attached before it."""
        self._attachments.append(attachment)
        return len(self._attachments) - 1

    @property
    def history_path(self) -> Path:
        """The file of the run's history."""
        return self._recording.path

    # --- life --------------------------------------------------------------------------------------

    async def start(self, *, observed: bool = True) -> None:
        """Start everything: nodes have power, a cable, and are watched. What runs on them is still booting."""
        self._started_s = now_s()
        run = RunDirectory.create(self.design.run_id)
        try:
            recorder = self._recording.begin(self._run_started())
        except BaseException:
            run.discard()
            raise
        self._life = await Life.begin(run, self._machines, recorder, observed=observed)
        await asyncio.to_thread(self._shape_links)
        await wait.together(*map(self.power_on, self.topology.node_names))
        if observed and self.topology.vips:  # without an address, clients have nothing to connect to
            await self._life.observation.watch_clients(self._service_port())
        self._attachments_begun = True
        await wait.together(*(attachment.begin() for attachment in self._attachments))

    def _shape_links(self) -> None:
        for link in self.fabric.shape_links(self.design.seed):
            driver, character = self.fabric.shaping.driver.name, asdict(link.character)
            shaped = LinkShaped(t_s=now_s(), link=link.name, place=link.place, character=character, driver=driver)
            self._recording.record(shaped)
            self.progress(f"link {link.name} ({link.place}), by {driver}: {link.character.words}")

    def take_up(self) -> None:
        """Take over the running cluster of this design, which another process left up."""
        recorder = self._recording.go_on()
        self._life = Life.take_up(self._machines(RunDirectory(self.design.run_id)), recorder)

    def let_go(self) -> None:
        """Let go of a cluster that was taken up, and leave it as it is."""
        life, self._life = self.life, None
        life.let_go()
        self._recording.close()

    def _machines(self, run: RunDirectory) -> Machines:
        design = self.design
        return Machines(design.topology, design.subjects, design.image, engine_of_nodes(design.engines, run), run)

    def _service_port(self) -> int:
        ports = [one.service_port for one in self.design.subjects if one.service_port]
        if not ports:
            raise UsageError("none of the cluster's subjects has a service_port, and clients need one to connect to")
        return ports[0]

    def _run_started(self) -> RunStarted:
        design = self.design
        return RunStarted(
            t_s=self._started_s,
            run_id=design.run_id,
            scenario=design.scenario,
            promises=design.promises,
            seed=design.seed,
            engine=design.engine,
            subject=design.subjects[0].name,
            software={one.name: dict(one.settings()) for one in design.subjects},
            standing=design.standing,
            log_stages=design.log_stages,
            topology=design.topology.to_json(),
            caught_by=design.caught_by,
            test=design.test,
            # If only some nodes lose them, a run shows nothing: the node that was killed may be one of the others.
            loses_unsynced_writes=all(map(loses_unsynced_writes, design.engines.values())),
            engines=design.engines,
            format=FORMAT,
        )

    async def collect(self) -> None:
        """Take what only the running cluster can tell: logs, configurations, final views. Every part is tried.

        Raises what went wrong at the end (an ExceptionGroup if it is more than one thing).
        """
        finishing = [attachment.finish for attachment in self._attachments if self._attachments_begun]
        await wait.each(*finishing, partial(self.life.collect, self.run_directory, self.live().on_run_clock))

    async def end(self) -> None:
        """Destroy everything, and record what is left of it on the host: nothing, if all is well.

        Raises what went wrong, once everything has been tried and recorded.
        """
        life, self._life = self._life, None
        try:
            await wait.each(
                *(attachment.close for attachment in self._attachments),
                *((life.stop_observing, partial(self._remove, life)) if life is not None else ()),
            )
        except Exception as error:
            if self._recording.is_open:
                self.record_failure("ending the cluster", error)
            raise
        finally:
            self._recording.close()

    async def _remove(self, life: Life) -> None:
        self._recording.record(LeftoversSeen(t_s=now_s(), leftovers=await life.end()))

    async def leave_up(self) -> None:
        """Stop observing, and leave the nodes to a person (``harness down`` ends them)."""
        if self._life is not None:
            await self._life.leave_up()
            self._life = None
            self._recording.close()

    def how_to_look(self) -> str:
        """What a person can do with a cluster that was left up."""
        run_id, node = self.design.run_id, self.topology.node_names[0]
        return f"cluster {run_id} is left up: harness exec {node} -- sh, harness ps, harness down {run_id}"

    def record_ending(self, outcome: Literal["passed", "failed", "inconclusive"], reason: str) -> None:
        """Record how the scenario's body ended, at that moment: what happens afterwards is not judged.

        A scenario whose cluster never got as far as a history gets one now.
        """
        if not self._recording.is_open:
            self._recording.begin(self._run_started())
        self._recording.record(RunEnded(t_s=now_s(), outcome=outcome, reason=reason))

    def record_failure(self, doing: str, error: Exception) -> None:
        """Record that the harness could not do its own part: the run is inconclusive, whatever else it shows."""
        self._recording.record(HarnessFailed(t_s=now_s(), doing=doing, error=told(error)))
        self.progress(f"{doing}: {error}")

    @property
    def runs(self) -> bool:
        """Whether there are nodes that a person or a scenario could use."""
        return self._life is not None

    @property
    def life(self) -> Life:
        """The running parts (UsageError before ``start`` and after ``end``)."""
        if self._life is None:
            raise UsageError("the cluster is not running")
        return self._life

    @property
    def engine(self) -> Engine:
        """The engine that runs the nodes."""
        return self.life.machines.engine

    @property
    def fabric(self) -> Fabric:
        """The network between them."""
        return self.life.machines.fabric

    @property
    def settles_by_itself(self) -> bool:
        """Whether booted nodes become a cluster without anybody's help."""
        return all(one.settles_by_itself for one in self.design.subjects)

    def age_s(self) -> float:
        """Seconds since ``start`` was called."""
        return now_s() - self._started_s

    # --- power -------------------------------------------------------------------------------------

    async def power_on(self, node: str) -> None:
        """Boot a node and plug it in. Returns while it is still booting."""
        machines, observation = self.life.machines, self.life.observation
        pid = await machines.power_on(node)
        self._boots[node] += 1
        self._recording.record(NodeStarted(t_s=now_s(), node=node, boot=self._boots[node], mac=self.plan.mac(node)))
        # Watched before it has a network, so before anything on it can hold an address.
        await observation.watch_node(node, pid)
        await machines.plug(node, pid)

    async def power_cut(self, node: str) -> None:
        """Everything on the node dies at once."""
        await self.life.machines.power_cut(node)
        self._recording.record(NodeStopped(t_s=now_s(), node=node, how="power-cut"))
        await self.life.observation.unwatch_node(node)

    async def shut_down(self, node: str) -> None:
        """Shut a node down, so that its services end in good order."""
        self.note(f"{node} is shut down in good order")
        await self.life.machines.shut_down(node)
        self._recording.record(NodeStopped(t_s=now_s(), node=node, how="shutdown"))
        await self.life.observation.unwatch_node(node)

    def is_up(self, endpoint: str) -> bool:
        """Whether a node has power; clients always have."""
        if endpoint not in self.topology.node_names:
            return True
        return self.engine.pid(endpoint) is not None

    def is_reachable(self, endpoint: str) -> bool:
        """Whether it has power and a cable. A node that has just begun to boot has no cable yet."""
        return self.is_up(endpoint) and self.fabric.is_plugged(endpoint)

    # --- what scenarios say --------------------------------------------------------------------------

    def live(self) -> LiveView:
        """The present, up to date."""
        self._live.advance(self._recording.new_events())
        return self._live

    def all_but(self, nodes: Iterable[str]) -> tuple[str, ...]:
        """The nodes of the topology without these, in its order."""
        left_out = set(nodes)
        return tuple(name for name in self.topology.node_names if name not in left_out)

    def note(self, text: str) -> None:
        """Record a remark for the reader of the timeline."""
        self._recording.record(Note(t_s=now_s(), text=text))
        self.progress(text)

    def record(self, event: Event) -> None:
        """Record what somebody above the cluster has seen or done."""
        self._recording.record(event)

    def expect(self, *expectations: Expected) -> None:
        """Have the history judged by these checks, at the end of the run and whenever it is judged again.

        Raises UsageError when there is no such check, or when it does not take these arguments.
        """
        from harness.checks.registry import require  # numpy with it, which a cluster for a person does without

        for one in expectations:
            expectation = Expectation(t_s=now_s(), check=one.check, arguments=one.arguments)
            require(expectation)
            self._recording.record(expectation)

    async def holder(self, address: str, *, within_s: float = 2.0) -> str:
        """The one node that holds the address. Waits for it a moment: news of a renewed lease may be on its way to us.

        Raises DeadlinePassed when nobody, or more than one node, holds it all that time.
        """

        def alone() -> str | None:
            holders = list(self.live().holders(address, now_s()))
            return holders[0] if len(holders) == 1 else None

        return await wait.until(alone, within_s=within_s, what=f"one node holds {address}")

    async def stay(self, *, for_s: float, why: str) -> None:
        """Let time pass where time is the point, such as a fault that has to last; ``why`` is noted."""
        self.note(f"{for_s:g} s pass: {why}")
        await asyncio.sleep(for_s)

    async def until(self, condition: Condition, *, within_s: float) -> None:
        """Wait until the condition holds. Raises DeadlinePassed, in the condition's words, when it does not in time."""
        await wait.until(lambda: condition.holds(self.live()), within_s=within_s, what=condition.what)

    async def until_settled(self, *, within_s: float | None = None, nodes: tuple[str, ...] | None = None) -> None:
        """Wait until these nodes are as if there were no others and nothing had ever happened, as each subject tells.

        Without ``nodes``: all that have power. Raises DeadlinePassed.
        """
        if within_s is None:
            within_s = SLOW_SETTLE_S if self.life.machines.own_kernels else SETTLE_S
        up = tuple(name for name in self.topology.node_names if self.is_up(name)) if nodes is None else nodes
        for subject in self.design.subjects:
            for condition in subject.settled(self.topology, self.plan, up):
                await self.until(condition, within_s=within_s)

    @asynccontextmanager
    async def under(self, fault: AnyFault) -> AsyncIterator[AnyFault]:
        """Run a block under a fault: written down, injected, proven to bite, and healed in every case.

        The run is inconclusive when this raises FaultImpossible (engine or host cannot do it) or NothingToAimAt (there
        was nobody to hit), before anything has begun; FaultDidNotBite (no effect could be shown); or HealFailed (it
        could not be shown to be gone).
        """
        self._fault_count += 1
        injection = Injection(
            fault,
            self,
            number=self._fault_count,
            recording=self._recording,
            journal=self.life.journal,
            undo=self._undo,
            say=self.progress,
        )
        await injection.aim(self.note)
        try:
            await injection.inject()
            yield fault
        except ClusterGone:  # the fault is gone with it: there is nothing to heal
            raise
        except BaseException as error:
            try:
                await wait.finished(injection.heal())
            except HarnessError as worse:  # recorded only: what made the scenario fail is to be seen first
                self.record_failure(f"healing {fault.name}", worse)
                error.add_note(str(worse))
            raise
        await wait.finished(injection.heal())

    async def aimed(self, aim: Callable[[], Aim], who: str = "aiming") -> Aim:
        """What ``aim`` returns, as soon as there is something to aim at (NothingToAimAt when there is not in time)."""
        return await aimed(aim, who, self.note)

    async def _undo(self, action: HealAction) -> None:
        """Do what the keeper would do if we were dead.

        Two things we do differently: we give power ourselves, so that it is recorded and watched; and we delete tables
        through the fabric's own context, which is a hundred times as quick as a new one.
        """
        match action:
            case PowerOn(nodes=nodes):
                await wait.all_of(*(self.power_on(node) for node in nodes if not self.is_up(node)))
            case DeleteTable(family=family, name=name):
                self.fabric.delete_table(family, name)
            case _:
                await asyncio.to_thread(action.carry_out, self.life.machines.run)
