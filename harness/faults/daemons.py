"""Daemons of nodes as the host sees them: their processes, what started them, and starting them again."""

import shlex
from contextlib import suppress
from pathlib import Path

from harness.cluster import Cluster
from harness.errors import HarnessError, NothingToAimAt
from harness.fault import Effect, Seen
from harness.faults.declared import Declared
from harness.faults.kernels import needs_hosts_kernel
from harness.faults.select import Selector
from harness.healing import HealAction, RunInNode
from harness.procfs import command_words, parent_pid, process_name
from harness.rundir import ProcessName

_BOOT_LOGS = "/var/log/boot/"
_BOOT_PROGRAMS = "/etc/boot.d/"
_START_ONE = """\
for process in /proc/[0-9]*; do
    [ "$(readlink $process/fd/1)" = {log} ] && exit 0
done
setsid {program} >> {log} 2>&1 < /dev/null &
"""
_START_UNIT = "systemctl is-active --quiet {unit} || {{ systemctl reset-failed {unit}; systemctl start {unit}; }}"


def processes_of(cluster: Cluster, node: str, daemon: str) -> tuple[int, ...]:
    """The processes of a node whose command line names the daemon (by program or by ``-m`` module)."""
    needs_hosts_kernel(cluster, node)
    return tuple(pid for pid in cluster.engine.processes(node) if _runs(pid, daemon))


def _runs(pid: int, daemon: str) -> bool:
    return process_name(pid) == daemon or any(Path(word).name == daemon for word in command_words(pid)[:4])


def start_again(node: str, pid: int) -> HealAction | None:
    """What starts the service that a process belongs to, unless it runs: as the node's own boot did.

    None when the process was started by somebody else. A service whose script lives is left to that script.
    """
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
            unit = line.rpartition("/")[2]
            if unit.endswith(".service") and "init.scope" not in line:
                return RunInNode(node, ("sh", "-c", _START_UNIT.format(unit=shlex.quote(unit))))
    while pid > 1:
        try:
            log = str(Path(f"/proc/{pid}/fd/1").readlink())
            if log.startswith(_BOOT_LOGS) and log.endswith(".log"):
                program = _BOOT_PROGRAMS + log.removeprefix(_BOOT_LOGS).removesuffix(".log")
                script = _START_ONE.format(log=shlex.quote(log), program=shlex.quote(program))
                return RunInNode(node, ("sh", "-c", script))
            pid = parent_pid(pid)
        except (OSError, HarnessError):
            return None
    return None


def start_what_booted(cluster: Cluster, node: str) -> tuple[HealAction, ...]:
    """What starts each service again that the node's boot has started, and that does not run any more by then."""
    needs_hosts_kernel(cluster, node)
    starts = (start_again(node, pid) for pid in cluster.engine.processes(node))
    return tuple(dict.fromkeys(one for one in starts if one is not None))


class OnDaemon(Declared):
    """A fault of one daemon on some nodes."""

    _whom: Selector
    _daemon: str
    _processes: tuple[ProcessName, ...] = ()
    _over = False
    gone_within_s = 20.0

    def aim(self, cluster: Cluster) -> tuple[HealAction, ...]:
        """Decide whom to hit, and find the daemon's processes."""
        self.targets = self._whom(cluster)
        found: list[ProcessName] = []
        heals: list[HealAction] = []
        for node in self.targets:
            pids = processes_of(cluster, node, self._daemon)
            if not pids:
                raise NothingToAimAt(f"no process called {self._daemon} runs on {node}")
            for pid in pids:
                found.append(ProcessName.of(pid))
                heals += self._heals(node, found[-1])
        self._processes = tuple(found)
        return tuple(dict.fromkeys(heals))

    def _heals(self, node: str, process: ProcessName) -> tuple[HealAction, ...]:
        """What undoes it for one process."""
        again = start_again(node, process.pid)
        return () if again is None else (again,)

    async def end(self, cluster: Cluster) -> None:
        """From here on the daemon is to run again."""
        self._over = True

    def _alive(self) -> tuple[int, ...]:
        return tuple(one.pid for one in self._processes if one.lives())

    def _dead_or_back(self, cluster: Cluster, by: str) -> Seen:
        """Whether all processes that were aimed at have ended; once it is over, whether the daemon runs again."""
        nodes = ", ".join(self.targets)
        if not self._over:
            alive = self._alive()
            told = f"{self._daemon} on {nodes}: {len(self._processes) - len(alive)} of {len(self._processes)} processes"
            effect = Effect.ALL if not alive else Effect.SOME if len(alive) < len(self._processes) else Effect.NONE
            return Seen(effect, f"{told} were ended by {by}")
        without = [node for node in self.targets if not processes_of(cluster, node, self._daemon)]
        if without:
            effect = Effect.ALL if len(without) == len(self.targets) else Effect.SOME
            return Seen(effect, f"{self._daemon} does not run on {', '.join(without)}")
        return Seen(Effect.NONE, f"{self._daemon} runs on {nodes}")
