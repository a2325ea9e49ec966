"""multisite whose edge is the hub of tunnels: an agent on every machine of every site, which has no Docker here."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from harness.addresses import AddressPlan
from harness.engines.engine import NodeFile
from harness.subjects.boot import starts_at_boot
from harness.subjects.multisite.containers import AGENT, AGENT_CONFIG, API_PORT, TOKEN_OF_MACHINE
from harness.subjects.multisite.subject import COMMAND, CONFIG, UndeclaredMultisite, edge_of
from harness.topology import Topology

TUNNELS = "multisite-tunnels"
TUNNEL_PORT = 51_820
KEYS = "/var/lib/multisite-agent/wireguard.json"


@dataclass(frozen=True, slots=True)
class TunnelledMultisite(UndeclaredMultisite):
    """The platform on its edge, an agent on every machine, which begins once its machine has a token."""

    name = TUNNELS

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """Settings, and what starts the processes."""
        hub = plan.address(edge_of(topology))
        if node == edge_of(topology):
            more = f"api: 0.0.0.0:{API_PORT}\nwireguard: {{endpoint: '{hub}:{TUNNEL_PORT}'}}\n".encode()
            found = UndeclaredMultisite.files(self, node, topology, plan)
            return [NodeFile(one.path, one.content + more) if one.path == CONFIG else one for one in found]
        return spoke(node, topology, f"http://{hub}:{API_PORT}")


def spoke(node: str, topology: Topology, platform: str) -> Sequence[NodeFile]:
    """What a machine has of tunnels, whose agent begins once its machine has a token."""
    settings = {
        "machine": node,
        "site": topology.node(node).site,
        "platform": platform,
        "token_file": TOKEN_OF_MACHINE,
        "docker": "none",
        "tunnel": {"port": TUNNEL_PORT},
    }
    return (
        NodeFile(AGENT_CONFIG, json.dumps(settings).encode()),
        starts_at_boot(
            40, "multisite-agent", f"until [ -s {TOKEN_OF_MACHINE} ]; do sleep 0.1; done", f"{COMMAND} {AGENT}"
        ),
    )
