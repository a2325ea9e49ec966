"""Daemons of nodes: their processes, what started them, and starting them again."""

import shlex
import signal
from collections.abc import Iterable
from pathlib import Path

from harness.cluster import Cluster
from harness.engines.inside import NodeProcess
from harness.errors import NothingToAimAt
from harness.fault import Effect, Seen
from harness.faults.declaration import Daemon, Nodes
from harness.faults.declared import Declared, whom
from harness.faults.kernels import inside_of
from harness.faults.select import Selector
from harness.healing import HealAction, RunInNode

_BOOT_LOGS = "/var/log/boot/"
_BOOT_PROGRAMS = "/etc/boot.d/"
_START_ONE = """\
[ -z "$(find /proc/[0-9]*/fd/1 -maxdepth 0 -lname {log} 2> /dev/null)" ] || exit 0
setsid {program} >> {log} 2>&1 < /dev/null &
"""
_START_UNIT = "systemctl is-active --quiet {unit} || {{ systemctl reset-failed {unit}; systemctl start {unit}; }}"


def processes_of(cluster: Cluster, node: str, daemon: str) -> tuple[NodeProcess, ...]:
    """The processes of a node whose command line names the daemon (by program or by ``-m`` module)."""
    return tuple(one for one in _all_of(cluster, node) if _runs(one, daemon))


def _all_of(cluster: Cluster, node: str) -> tuple[NodeProcess, ...]:
    return inside_of(cluster, node).processes() if cluster.is_up(node) else ()


def _runs(process: NodeProcess, daemon: str) -> bool:
    return process.name == daemon or any(Path(word).name == daemon for word in process.words[:4])


def start_again(node: str, process: NodeProcess, among: Iterable[NodeProcess]) -> HealAction | None:
    """What starts the service that a process belongs to, unless it runs: as the node's own boot did.

    None when the process was started by somebody else. A service whose script lives is left to that script.
    """
    if process.unit.endswith(".service"):
        return RunInNode(node, ("sh", "-c", _START_UNIT.format(unit=shlex.quote(process.unit))))
    known, found = {one.pid: one for one in among}, process
    while True:
        if found.output.startswith(_BOOT_LOGS) and found.output.endswith(".log"):
            program = _BOOT_PROGRAMS + found.output.removeprefix(_BOOT_LOGS).removesuffix(".log")
            script = _START_ONE.format(log=shlex.quote(found.output), program=shlex.quote(program))
            return RunInNode(node, ("sh", "-c", script))
        if found.parent not in known:
            return None
        found = known[found.parent]


def start_what_booted(cluster: Cluster, node: str) -> tuple[HealAction, ...]:
    """What starts each service again that the node's boot has started, and that does not run any more by then."""
    found = _all_of(cluster, node)
    starts = (start_again(node, one, found) for one in found)
    return tuple(dict.fromkeys(one for one in starts if one is not None))


class OnDaemon(Declared):
    """A fault of one daemon on some nodes."""

    _whom: Selector
    _daemon: str
    _processes: tuple[tuple[str, NodeProcess], ...] = ()
    """Which there were when it took aim, each with its node."""
    _over = False
    gone_within_s = 20.0

    def __init__(self, nodes: Nodes, daemon: Daemon) -> None:
        self._whom = whom(nodes)
        self._daemon = daemon

    def aim(self, cluster: Cluster) -> tuple[HealAction, ...]:
        """Decide whom to hit, and find the daemon's processes."""
        self.targets = self._whom(cluster)
        found: list[tuple[str, NodeProcess]] = []
        heals: list[HealAction] = []
        for node in self.targets:
            there = _all_of(cluster, node)
            wanted = [one for one in there if _runs(one, self._daemon)]
            if not wanted:
                raise NothingToAimAt(f"no process called {self._daemon} runs on {node}")
            for one in wanted:
                found.append((node, one))
                heals += self._heals(cluster, node, one, there)
        self._processes = tuple(found)
        return tuple(dict.fromkeys(heals))

    def _heals(
        self, cluster: Cluster, node: str, process: NodeProcess, among: Iterable[NodeProcess]
    ) -> tuple[HealAction, ...]:
        """What undoes it for one process."""
        again = start_again(node, process, among)
        return () if again is None else (again,)

    def _send(self, cluster: Cluster, number: signal.Signals) -> None:
        """A signal to all processes that it was aimed at."""
        for node, one in self._processes:
            if cluster.is_up(node):
                inside_of(cluster, node).send(one.pid, one.start_ticks, number)

    async def end(self, cluster: Cluster) -> None:
        """From here on the daemon is to run again."""
        self._over = True

    def _alive(self, cluster: Cluster) -> list[tuple[str, NodeProcess]]:
        """Those of them that live, as they are now."""
        found = []
        for node in self.targets:
            aimed_at = [one for place, one in self._processes if place == node]
            there = _all_of(cluster, node) if aimed_at else ()
            found += [(node, now) for now in there if any(map(now.is_same, aimed_at))]
        return found

    def _dead_or_back(self, cluster: Cluster, by: str) -> Seen:
        """Whether all processes that were aimed at have ended; once it is over, whether the daemon runs again."""
        nodes = ", ".join(self.targets)
        if not self._over:
            alive = self._alive(cluster)
            told = f"{self._daemon} on {nodes}: {len(self._processes) - len(alive)} of {len(self._processes)} processes"
            effect = Effect.ALL if not alive else Effect.SOME if len(alive) < len(self._processes) else Effect.NONE
            return Seen(effect, f"{told} were ended by {by}")
        without = [node for node in self.targets if not processes_of(cluster, node, self._daemon)]
        if without:
            effect = Effect.ALL if len(without) == len(self.targets) else Effect.SOME
            return Seen(effect, f"{self._daemon} does not run on {', '.join(without)}")
        return Seen(Effect.NONE, f"{self._daemon} runs on {nodes}")
