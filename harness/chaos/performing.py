"""A plan performed on a cluster that runs: each step at its moment or on its event, only through ``Cluster.under``."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from harness import wait
from harness.chaos.loads import expected_of_loads, traffic_for
from harness.chaos.offered import offers
from harness.checks.performed import plan_performed
from harness.clock import now_s
from harness.cluster import Cluster
from harness.conditions import answers
from harness.errors import DeadlinePassed, NothingToAimAt
from harness.events import PlanBegun, StepBegun, StepEnded, StepMissed
from harness.expectations import clients_not_stranded, one_answerer
from harness.faults.catalogue import catalogue
from harness.faults.select import nodes_called, sites_called
from harness.faults.written import made
from harness.plans.moments import Look, Moments
from harness.plans.offers import Footprint, footprint, operation_footprint
from harness.plans.plan import AtMoment, EventName, Liveness, Operation, Plan, Step, to_builtins
from harness.plans.sound import require_sound

LOOK_EVERY_S = 0.005
IN_EFFECT_WITHIN_S = 30.0
"""What stays broken has been aimed and shown to bite so long after it was due, or never is."""
_HEARD_LATE_S = 1.0
"""That a lease was renewed may be heard of so late: an address that seems free meanwhile would not be judged at all."""


class Performing:
    """One plan on one cluster. Made before the cluster starts: its clients start with it.

    ``at_least``: so many steps have to take place, or the run is inconclusive (default: one).

    Raises UsageError for a plan that is not sound on the cluster's topology, or whose loads no subject serves.
    """

    def __init__(self, cluster: Cluster, plan: Plan, *, at_least: int = 1) -> None:
        require_sound(plan, cluster.topology, offers())
        self._cluster = cluster
        self._plan = plan
        self._at_least = at_least
        self._traffic = traffic_for(cluster, plan)
        self._zero_s = 0.0
        self._seen: dict[EventName, list[float]] = {}
        self._open: dict[str, Footprint] = {}
        self._held: set[str] = set()
        """The addresses that somebody held when the plan began."""
        self._known: set[str] = set()
        """The steps that have begun, or were missed."""
        self._over = asyncio.Event()
        """Set when the run is over, and what stays broken may be healed."""

    async def perform(self) -> None:
        """All of it, and that the cluster is well again as the plan's end demands.

        Raises, in a group, DeadlinePassed (it did not become well in time) and what ``Cluster.under`` raises.
        """
        for line in self._plan.told():
            self._cluster.progress(line)
        self._expect()
        async with self._loads():
            self._zero_s = now_s()
            self._cluster.record(PlanBegun(t_s=self._zero_s, plan=to_builtins(self._plan)))
            async with asyncio.TaskGroup() as tasks:
                watching = tasks.create_task(self._watch())
                started = [(one.for_s, tasks.create_task(self._step(one))) for one in self._plan.steps]
                started += [(one.for_s, tasks.create_task(self._operate(one))) for one in self._plan.operations]
                # Not gather: what a step raises would be told twice, by it and by the group.
                if passing := [task for for_s, task in started if for_s is not None]:
                    await asyncio.wait(passing)
                await self._all_broken()
                await self._converged()
                self._over.set()
                watching.cancel()
            if isinstance(self._plan.end, Liveness) and self._cluster.settles_by_itself:
                # Broken for good was until here: whoever comes back now has to fit in again.
                await self._cluster.until_settled(within_s=self._plan.end.within_s)

    def _expect(self) -> None:
        """Of every address that is held by now, and of what clients are promised."""
        cluster = self._cluster
        cluster.expect(plan_performed.expected(self._at_least), *expected_of_loads(self._plan))
        for vip in cluster.topology.vips:
            address = cluster.plan.vip(vip.name)
            if cluster.live().holders(address, now_s() - _HEARD_LATE_S):
                self._held.add(address)
                cluster.expect(one_answerer(address), clients_not_stranded(address))

    @asynccontextmanager
    async def _loads(self) -> AsyncIterator[None]:
        if self._traffic is None:
            yield
            return
        async with self._traffic.running():
            yield

    # --- one step ------------------------------------------------------------------------------------

    async def _step(self, step: Step) -> None:
        try:
            due_s = await self._due_s(step)
            aims = await self._aims(step)
        except (DeadlinePassed, NothingToAimAt) as error:
            self._miss(step.name, self._zero_s + step.latest_s, str(error))
            return
        mine = footprint(offers()[step.fault], aims, self._cluster.topology)
        if not self._free(step.name, due_s, mine):
            return
        fault = made(catalogue()[step.fault], aims, step.parameters)
        if (reason := fault.lacks(self._cluster)) is not None:
            self._miss(step.name, due_s, f"{step.fault} is impossible here: {reason}")
            return
        call_s = now_s()
        self._open[step.name] = mine
        try:
            async with self._cluster.under(fault):
                self._begun(step.name, due_s, call_s, aims, fault.targets)
                await self._hold(step, call_s)
        finally:
            del self._open[step.name]
        self._cluster.record(StepEnded(t_s=now_s(), step=step.name))

    async def _hold(self, step: Step, call_s: float) -> None:
        if step.for_s is None:
            await self._over.wait()
        else:
            await asyncio.sleep(max(0.0, call_s + step.for_s - now_s()))

    async def _due_s(self, step: Step) -> float:
        """The moment, when it has come. Raises DeadlinePassed when what it waits for does not happen."""
        start = step.start
        if isinstance(start, AtMoment):
            return await self._at(start.at_s)
        await self._at(start.from_s)
        from_s, event = self._zero_s + start.from_s, start.event

        def seen_s() -> float | None:
            return next((t_s for t_s in self._seen.get(event, ()) if t_s >= from_s), None)

        within_s = max(0.0, self._zero_s + start.until_s - now_s())
        return await wait.until(seen_s, within_s=within_s, what=f"{event} was waited for")

    async def _at(self, at_s: float) -> float:
        due_s = self._zero_s + at_s
        await asyncio.sleep(max(0.0, due_s - now_s()))
        return due_s

    async def _aims(self, step: Step) -> tuple[str, ...]:
        """Its aims by the names of nodes and sites, as they are now. Raises NothingToAimAt."""
        found = []
        for word, kind in zip(step.aims, offers()[step.fault].aims, strict=False):
            if kind in ("nodes", "sites"):
                select = (nodes_called if kind == "nodes" else sites_called)(word)
                names = await self._cluster.aimed(partial(select, self._cluster), step.fault)
                found.append(",".join(names))
            else:
                found.append(word)
        return (*found, *step.aims[len(found) :])

    def _free(self, name: str, due_s: float, mine: Footprint) -> bool:
        """Whether nothing that is there now would spoil it; missed otherwise."""
        spoilers = [other for other, its in self._open.items() if mine.spoils(its)]
        dark = sorted(node for node in mine.nodes if mine.group == "node" and not self._cluster.is_up(node))
        if spoilers:
            self._miss(name, due_s, f"step {', '.join(spoilers)} was there, and one would have hidden the other")
        elif dark:
            self._miss(name, due_s, f"{', '.join(dark)} had no power")
        return not (spoilers or dark)

    def _begun(self, name: str, due_s: float, call_s: float, aims: tuple[str, ...], targets: tuple[str, ...]) -> None:
        self._known.add(name)
        self._cluster.record(StepBegun(t_s=now_s(), step=name, due_s=due_s, call_s=call_s, aims=aims, targets=targets))

    def _miss(self, name: str, due_s: float, reason: str) -> None:
        self._known.add(name)
        self._cluster.record(StepMissed(t_s=now_s(), step=name, due_s=due_s, reason=reason))
        self._cluster.progress(f"step {name} is missed: {reason}")

    async def _operate(self, operation: Operation) -> None:
        """Shut a node down in good order and, after a time, give it power again."""
        due_s = await self._at(operation.at_s)
        mine, node = operation_footprint(operation), operation.node
        if not self._cluster.is_up(node):
            self._miss(operation.name, due_s, f"{node} had no power")
        elif self._free(operation.name, due_s, mine):
            call_s = now_s()
            self._open[operation.name] = mine
            await self._cluster.shut_down(node)
            self._begun(operation.name, due_s, call_s, (node,), (node,))
            await asyncio.sleep(max(0.0, call_s + operation.for_s - now_s()))
            await self._cluster.power_on(node)
            del self._open[operation.name]
            self._cluster.record(StepEnded(t_s=now_s(), step=operation.name))

    # --- what happens meanwhile, and the end -----------------------------------------------------------

    async def _watch(self) -> None:
        """Note when something happens that a step may wait for."""
        moments = Moments()
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                for event in moments.since_last(self._look()):
                    self._seen.setdefault(event, []).append(now_s())
                await asyncio.sleep(LOOK_EVERY_S)

    def _look(self) -> Look:
        live, topology = self._cluster.live(), self._cluster.topology
        holders: tuple[str, ...] = ()
        if topology.vips:
            holders = tuple(live.holders(self._cluster.plan.vip(topology.vips[0].name), now_s()))
        quorate = frozenset(node for node, seen in live.membership.items() if seen.quorate)
        return Look(holders, quorate, frozenset(live.powered))

    async def _all_broken(self) -> None:
        staying = {one.name for one in self._plan.steps if one.for_s is None}
        last_s = max((one.latest_s for one in self._plan.steps if one.for_s is None), default=0.0)
        within_s = max(0.0, self._zero_s + last_s - now_s()) + IN_EFFECT_WITHIN_S
        what = f"step {', '.join(sorted(staying))}, which stays for good, is in effect"
        await wait.until(lambda: staying <= self._known, within_s=within_s, what=what)

    async def _converged(self) -> None:
        """Whoever is healed serves again, and what clients write is acknowledged."""
        cluster, end = self._cluster, self._plan.end
        healed = end.healed if isinstance(end, Liveness) else None
        whom = f"{', '.join(healed)} are healed, the rest stays broken" if healed else "all is healed"
        cluster.note(f"{whom}: within {end.within_s:g} s the cluster has to be well")
        conditions = [self._traffic.acknowledges_again()] if self._traffic is not None else []
        conditions += map(answers, sorted(self._held))
        waits = [cluster.until(one, within_s=end.within_s) for one in conditions]
        if cluster.settles_by_itself:
            waits.append(cluster.until_settled(within_s=end.within_s, nodes=healed))
        await wait.together(*waits)
