"""A daemon can open nothing any more."""

from collections.abc import Iterable

from harness.cluster import Cluster
from harness.engines.inside import NodeProcess
from harness.errors import UsageError
from harness.fault import Seen
from harness.faults.daemons import OnDaemon
from harness.faults.declaration import fault
from harness.faults.declared import judged
from harness.faults.kernels import inside_of
from harness.healing import HealAction, LimitFiles


@fault(
    family="process",
    example="n2 redis-server",
    proof="the kernel says that each process may have no more open files than it has",
)
class ExhaustFiles(OnDaemon):
    """One daemon of the nodes has all the open files that it may have: no file, no connection more (EMFILE)."""

    gone_within_s = 2.0

    def _heals(
        self, cluster: Cluster, node: str, process: NodeProcess, among: Iterable[NodeProcess]
    ) -> tuple[HealAction, ...]:
        try:
            soft, _ = inside_of(cluster, node).files(process.pid)
        except PermissionError:
            raise UsageError(
                f"{self._daemon} on {node} runs as another user than we do, and this kernel does not let us limit its"
                " files (CAP_SYS_RESOURCE): aim at a daemon of root"
            ) from None
        return (LimitFiles(node, process.pid, process.start_ticks, soft),)

    async def inject(self, cluster: Cluster) -> None:
        """Allow each process only numbers below the first free one."""
        for node, one in self._processes:
            there = inside_of(cluster, node)
            _, free = there.files(one.pid)
            there.limit_files(one.pid, one.start_ticks, free)

    async def see(self, cluster: Cluster) -> Seen:
        """The limit of each process, and its open files."""
        alive, full, told = self._alive(cluster), 0, []
        for node, one in alive:
            allowed, free = inside_of(cluster, node).files(one.pid)
            full += free >= allowed
            told.append(f"{self._daemon} ({one.pid}) may number its open files up to {allowed}, free is {free}")
        return judged(full, len(alive), "; ".join(told))
