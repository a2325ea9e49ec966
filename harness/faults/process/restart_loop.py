"""A daemon dies again and again."""

import asyncio
import signal
from contextlib import suppress
from typing import Annotated

from harness.cluster import Cluster
from harness.fault import Effect, Seen
from harness.faults.daemons import OnDaemon, processes_of
from harness.faults.declaration import Daemon, Nodes, Quantity, fault
from harness.faults.declared import whom
from harness.faults.kernels import inside_of
from harness.healing import HealAction
from harness.wait import finished

_LIVES = 2


@fault(
    family="process",
    example="n2 redis-server --every 0.3",
    proof="processes of two lives of the daemon were killed, each of them seen to run before",
)
class RestartLoop(OnDaemon):
    """One daemon of the nodes is started, and killed, and started, for as long as the fault lasts.

    It is started by whatever starts it by itself, else as the node's boot did.
    """

    _loop: asyncio.Task[None] | None = None
    _starts: tuple[HealAction, ...] = ()

    def __init__(
        self,
        nodes: Nodes,
        daemon: Daemon,
        every_s: Annotated[float, Quantity("s", 0.1, 60.0, "from one death to the next")] = 1.0,
    ) -> None:
        self._whom = whom(nodes)
        self._daemon = daemon
        self._every_s = every_s
        self._killed: set[tuple[str, int]] = set()
        self.bites_within_s = 10.0 + 3 * every_s

    def aim(self, cluster: Cluster) -> tuple[HealAction, ...]:
        """What heals it also starts it meanwhile."""
        self._starts = super().aim(cluster)
        return self._starts

    async def inject(self, cluster: Cluster) -> None:
        """A task of ours; with us it ends as well."""
        self._loop = asyncio.create_task(self._kill_again(cluster))

    async def _kill_again(self, cluster: Cluster) -> None:
        while True:
            for node in self.targets:
                for one in processes_of(cluster, node, self._daemon):
                    inside_of(cluster, node).send(one.pid, one.start_ticks, signal.SIGKILL)
                    self._killed.add((node, one.pid))
            for start in self._starts:
                # To its end, also when we are to stop: what heals us would start the daemon beside it.
                await finished(asyncio.to_thread(start.carry_out, cluster.life.machines.run))
            await asyncio.sleep(self._every_s)

    async def see(self, cluster: Cluster) -> Seen:
        """How many of its lives have ended; afterwards, whether it lives for longer than that."""
        if not self._over:
            lives = {node: sum(one == node for one, _ in self._killed) for node in self.targets}
            told = ", ".join(f"{count} on {node}" for node, count in lives.items())
            effect = Effect.ALL if min(lives.values()) >= _LIVES else Effect.SOME if self._killed else Effect.NONE
            return Seen(effect, f"processes of {self._daemon} killed one after the other: {told}")
        before = {node: self._numbers(cluster, node) for node in self.targets}
        await asyncio.sleep(2 * self._every_s)
        lives_on = [node for node, numbers in before.items() if numbers & self._numbers(cluster, node)]
        told = f"{self._daemon} lives for over {2 * self._every_s:g} s on: {', '.join(lives_on) or 'no node'}"
        return Seen(Effect.NONE if len(lives_on) == len(self.targets) else Effect.SOME, told)

    def _numbers(self, cluster: Cluster, node: str) -> set[int]:
        return {one.pid for one in processes_of(cluster, node, self._daemon)}

    async def end(self, cluster: Cluster) -> None:
        """Let it live."""
        await super().end(cluster)
        if self._loop is not None:
            self._loop.cancel()
            with suppress(asyncio.CancelledError):
                await self._loop
