"""A write is only half there after a power cut."""

import asyncio
import signal
from typing import Annotated

from harness.cluster import Cluster
from harness.engines.inside import Inside
from harness.errors import NothingToAimAt, UsageError
from harness.fault import Effect, Seen
from harness.faults.declaration import Aim, Choice, Nodes, Quantity, fault
from harness.faults.declared import OnNodes, judged, whom
from harness.faults.kernels import content_of, inside_of
from harness.healing import HealAction, PowerOn
from harness.wait import together


@fault(
    family="disk",
    example="n2 /var/log/boot/40-redis.log --lost-bytes 7",
    proof="the file was read back with its end torn off before the power was cut, and no process of the nodes is left",
)
class TornWrite(OnNodes):
    """Power cut in the middle of a write: the end of a file has not got to the disk. Healing powers the nodes on again.

    What is lost is either not there (*short*), or there is room for it with nothing in it (*zeros*): both happen, since
    a file system writes down how long a file is apart from what is in it. The harness tears the file itself, while
    nothing in the node runs any more, and then cuts the power; nobody puts back what is lost.
    """

    bites_within_s = 10.0

    def __init__(
        self,
        nodes: Nodes,
        path: Annotated[str, Aim("PATH", "a file of the node")],
        lost_bytes: Annotated[
            int, Quantity("bytes", 1, 1 << 20, "how much of its end, and never more than half")
        ] = 512,
        how: Annotated[str, Choice(("short", "zeros"), "what is there instead")] = "short",
    ) -> None:
        self._whom = whom(nodes)
        self._path, self._lost_bytes, self._how = path, lost_bytes, how
        self._torn: dict[str, str] = {}

    def aim(self, cluster: Cluster) -> tuple[HealAction, ...]:
        """Nodes with power that have such a file."""
        self.targets = self._powered(cluster)
        if not self._path.startswith("/"):
            raise UsageError(f"{self.name}: {self._path} is no absolute path")
        for node in self.targets:
            if len(content_of(cluster, node, self._path) or b"") < 2:
                raise NothingToAimAt(f"{node} has no file {self._path}, or an empty one")
        return (PowerOn(self.targets),)

    async def inject(self, cluster: Cluster) -> None:
        """On all targets together."""
        await together(*(self._tear(cluster, node) for node in self.targets))

    async def _tear(self, cluster: Cluster, node: str) -> None:
        there = inside_of(cluster, node)
        await _stand_still(cluster, node, there)
        were = await asyncio.to_thread(there.read, self._path) or b""
        wanted = torn(were, self._lost_bytes, zeros=self._how == "zeros")
        await asyncio.to_thread(there.overwrite, self._path, wanted)
        if there.own_kernel:  # elsewhere what is written survives
            await asyncio.to_thread(there.run, ("sync", "--file-system", self._path))
        if await asyncio.to_thread(there.read, self._path) == wanted != were:
            self._torn[node] = f"{node}: {len(were)} bytes were {len(wanted)}, {_same(were, wanted)} of them as before"
        await cluster.power_cut(node)

    async def see(self, cluster: Cluster) -> Seen:
        """Who runs, and what was read back of the others."""
        running = [node for node in self.targets if cluster.engine.processes(node) or cluster.is_up(node)]
        if running:
            told = f"{', '.join(running)} {'runs' if len(running) == 1 else 'run'}"
            return judged(len(self.targets) - len(running), len(self.targets), told)
        told = f"no process of {', '.join(self.targets)} is left; {self._path} of {'; '.join(self._torn.values())}"
        return Seen(Effect.ALL if len(self._torn) == len(self.targets) else Effect.SOME, told)


def torn(content: bytes, lost_bytes: int, *, zeros: bool) -> bytes:
    """What is left of a file of which so much of its end, but never more than half, did not get to the disk."""
    kept = content[: len(content) - min(lost_bytes, len(content) // 2)]
    return kept.ljust(len(content), b"\0") if zeros else kept


def _same(were: bytes, are: bytes) -> int:
    return next((at for at, (one, other) in enumerate(zip(were, are, strict=False)) if one != other), len(are))


async def _stand_still(cluster: Cluster, node: str, there: Inside) -> None:
    """Have nothing write any more: all is frozen, or, under a kernel of its own, stopped but for who serves us."""
    if not there.own_kernel:
        await cluster.engine.pause(node)
        return
    told = await cluster.engine.exec(node, ("sh", "-c", "echo $PPID"))
    spared = {1, int(told.stdout)}
    for one in there.processes():
        if one.pid not in spared:
            there.send(one.pid, one.start_ticks, signal.SIGSTOP)
