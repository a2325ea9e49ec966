"""sfha on the nodes that have a vote, beside something that answers on each of them; the others have none of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness.addresses import AddressPlan
from harness.conditions import Condition
from harness.engines.engine import Engine, NodeFile
from harness.history import Recorder
from harness.subjects.sfha.membership import MembershipMonitors
from harness.subjects.sfha.subject import Sfha
from harness.subjects.subject import Probe
from harness.topology import Topology

VOTERS = "sfha-voters"
_BOOT = "/etc/boot.d/60-sfha"
_WAITS = """\
#!/bin/sh
until curl -s -o /dev/null -m 1 http://127.0.0.1:{port}/; do sleep 0.1; done
"""


@dataclass(frozen=True)
class VotersSfha(Sfha):
    """It begins on a node once what the address is for answers there: a node that comes back must not take it before.

    With systemd that is an ``ExecStartPre`` of its unit.
    """

    name = VOTERS

    profile: Literal["fast", "lan", "steady", "wan"] = "lan"
    answers_at: int = 8000
    well_at: str = "/healthz/edge"
    """What is asked there of whoever has the address; another node has it when that is not well."""

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """Those of sfha, on voters."""
        if not topology.node(node).votes:
            return ()
        found = super().files(node, _voters(topology), plan)
        waits = _WAITS.format(port=self.answers_at)
        return [
            NodeFile(one.path, one.content.replace(b"#!/bin/sh\n", waits.encode(), 1), one.mode)
            if one.path == _BOOT
            else one
            for one in found
        ]

    def _config(self, node: str, topology: Topology, plan: AddressPlan) -> dict[str, Any]:
        check = {
            "name": "serves",
            "type": "http",
            "target": f"http://127.0.0.1:{self.answers_at}{self.well_at}",
            "interval_ms": 200,
            "timeout_ms": 500,
            "failures_before_unhealthy": 2,
            "critical": True,
        }
        return super()._config(node, topology, plan) | {"health_checks": [check]}

    def settled(self, topology: Topology, plan: AddressPlan, up: tuple[str, ...]) -> Sequence[Condition]:
        """As of sfha, among voters."""
        voters = _voters(topology)
        return super().settled(voters, plan, tuple(node for node in up if node in voters.node_names))

    def probes(self, topology: Topology, engine: Engine, recorder: Recorder) -> Sequence[Probe]:
        """What each voter's Corosync says."""
        voters = _voters(topology)
        names = {node.id: node.name for node in voters.nodes}
        return (_VotersMonitors(engine.spawn, recorder, names, engine.clock),)


class _VotersMonitors(MembershipMonitors):
    async def watch(self, node: str) -> None:
        """No others have a Corosync."""
        if node in self._names.values():
            await super().watch(node)


def _voters(topology: Topology) -> Topology:
    return topology.model_copy(update={"nodes": tuple(one for one in topology.nodes if one.votes)})
