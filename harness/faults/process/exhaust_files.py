"""A daemon can open nothing any more."""

import resource
from itertools import count
from pathlib import Path

from harness.cluster import Cluster
from harness.errors import UsageError
from harness.fault import Seen
from harness.faults.daemons import OnDaemon
from harness.faults.declaration import Daemon, Nodes, fault
from harness.faults.declared import judged, whom
from harness.healing import HealAction, LimitFiles
from harness.rundir import ProcessName


@fault(
    family="process",
    example="n2 redis-server",
    proof="the kernel says that each process may have no more open files than it has",
)
class ExhaustFiles(OnDaemon):
    """One daemon of the nodes has all the open files that it may have: no file, no connection more (EMFILE)."""

    gone_within_s = 2.0

    def __init__(self, nodes: Nodes, daemon: Daemon) -> None:
        self._whom = whom(nodes)
        self._daemon = daemon

    def _heals(self, node: str, process: ProcessName) -> tuple[HealAction, ...]:
        try:
            soft, _ = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
        except PermissionError:
            raise UsageError(
                f"{self._daemon} on {node} runs as another user than we do, and this kernel does not let us limit its"
                " files (CAP_SYS_RESOURCE): aim at a daemon of root"
            ) from None
        return (LimitFiles(process.pid, process.start_ticks, soft),)

    async def inject(self, cluster: Cluster) -> None:
        """Allow each process only numbers below the first free one."""
        for one in self._processes:
            _, hard = resource.prlimit(one.pid, resource.RLIMIT_NOFILE)
            resource.prlimit(one.pid, resource.RLIMIT_NOFILE, (_first_free(one.pid), hard))

    async def see(self, cluster: Cluster) -> Seen:
        """The limit of each process, and its open files."""
        alive, full, told = self._alive(), 0, []
        for pid in alive:
            allowed, _ = resource.prlimit(pid, resource.RLIMIT_NOFILE)
            full += _first_free(pid) >= allowed
            told.append(f"{self._daemon} ({pid}) may number its open files up to {allowed}, free is {_first_free(pid)}")
        return judged(full, len(alive), "; ".join(told))


def _first_free(pid: int) -> int:
    taken = {int(path.name) for path in Path(f"/proc/{pid}/fd").iterdir()}
    return next(number for number in count() if number not in taken)
