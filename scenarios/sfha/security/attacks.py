"""What somebody without rights does on a member: programs that run there as user 65534, and what came of them."""

import json
from dataclasses import dataclass
from typing import Any

from fixtures.sfha.operator import COMMAND_TIMEOUT_S, Operator
from harness.clock import now_s
from harness.cluster import Cluster
from harness.events import ObserverStalled
from harness.history import History

NOBODY = 65534
_PREAMBLE = f"""
import json, os, socket, sys, time
sys.path.insert(0, "/usr/lib/sfha")
os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})
"""


async def as_nobody(
    operator: Operator, node: str, program: str, *arguments: str, timeout_s: float = COMMAND_TIMEOUT_S
) -> Any:
    """Run a Python program without rights on a node, with the stack's own modules; what it prints is JSON."""
    command = ["python3", "-c", _PREAMBLE + program, *arguments]
    done = await operator.cluster.engine.exec(node, command, timeout_s=timeout_s)
    assert done.exit_code == 0, done.stderr.decode(errors="replace")
    return json.loads(done.stdout or b"null")


STOOD_STILL_S, LEASE_S = 0.01, 0.3
"""A stop of the whole host that counts; and how long before a lease is lost it may be the reason."""


@dataclass(frozen=True)
class Effects:
    """What daemons logged in a time: lost leases, and leaders that were elected.

    A lease that was lost when the host stood still is not among them: the observer goes before all other programs, so
    none of these keeps it from its work, and what does so keeps daemons from renewing as well.
    """

    leases_lost: int
    elections: int


async def effects_of(operator: Operator, from_s: float, to_s: float) -> Effects:
    """What all nodes logged between two times."""
    stalls = History.read(operator.cluster.run_directory).of(ObserverStalled)
    stopped_s = [one.t_s for one in stalls if one.gap_s >= STOOD_STILL_S]

    async def logged(event: str) -> list[float]:
        times = [await operator.times(node, event) for node in operator.cluster.topology.node_names]
        return [t_s for one in times for t_s in one if from_s <= t_s <= to_s]

    lost_s = [at_s for at_s in await logged("lease-lost") if not any(at_s - LEASE_S <= s <= at_s for s in stopped_s)]
    return Effects(len(lost_s), len(await logged("leader-elected")))


async def quiet(cluster: Cluster, operator: Operator, for_s: float) -> Effects:
    """The same time without an attack, to compare with."""
    began_s = now_s()
    await cluster.stay(for_s=for_s, why="what happens without an attack is what an attack is compared with")
    return await effects_of(operator, began_s, now_s())
