"""multisite on two edges, and on a witness that keeps the third copy of the inventory; who has the address leads."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from harness.addresses import AddressPlan
from harness.engines.engine import NodeFile
from harness.subjects.multisite.subject import CONFIG, UndeclaredMultisite, machines_of, public_address
from harness.subjects.multisite.tunnels import spoke
from harness.topology import Topology

EDGES, HUBS, SECOND_EDGE, WITNESS = "multisite-edges", "multisite-hubs", "edge2", "witness"
"""The nodes as the topology "two-edges" calls them; the first edge is called as everywhere."""
API_PORT = 8000
KEY = "/etc/multisite/copies.key"
HUB_PORT = 51_821
"""The mesh of those who move the address has the usual one."""


@dataclass(frozen=True, slots=True)
class TwoEdges(UndeclaredMultisite):
    """The platform on every node that has a vote; the one that is called ``witness`` is no edge."""

    name = EDGES

    copied: bool = True
    """Whether the second edge has a copy: without it, it is a platform of its own, which was never told anything."""

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """Settings, the key that all have, and what starts the processes."""
        if node in machines_of(topology):
            return ()
        found = list(UndeclaredMultisite.files(self, topology.node_names[0], topology, plan))
        if node == WITNESS:
            found = [one for one in found if not one.path.endswith("-edge")]
        more = f"api: 0.0.0.0:{API_PORT}\n"
        if self.copied or node != SECOND_EDGE:
            more += f"copies: {json.dumps(self._copies(node, topology, plan))}\n"
        key = hashlib.sha256(f"{plan.run_id} copies".encode()).hexdigest()
        return [
            *(NodeFile(one.path, one.content + more.encode()) if one.path == CONFIG else one for one in found),
            NodeFile(KEY, key.encode(), 0o600),
        ]

    def _copies(self, node: str, topology: Topology, plan: AddressPlan) -> dict[str, object]:
        keeping = [one for one in topology.node_names if one not in machines_of(topology)]
        # In the tunnel of those who move the address: certificates go that way.
        urls = {one: f"http://{plan.mesh_address(one)}:{API_PORT}" for one in keeping}
        return {
            "name": node,
            "address": public_address(topology, plan),
            "key_file": KEY,
            "edges": {one: url for one, url in urls.items() if one != WITNESS},
            "witnesses": {one: url for one, url in urls.items() if one == WITNESS},
        }


@dataclass(frozen=True, slots=True)
class TwoHubs(TwoEdges):
    """Both edges are hubs of tunnels as well, and every machine of a site has one to each."""

    name = HUBS

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """Those of edges; of machines, what starts an agent."""
        if node in machines_of(topology):
            return spoke(node, topology, f"http://{public_address(topology, plan)}:{API_PORT}")
        found = TwoEdges.files(self, node, topology, plan)
        if node == WITNESS:
            return found
        more = f"wireguard: {{endpoint: '{plan.address(node)}:{HUB_PORT}'}}\n".encode()
        return [NodeFile(one.path, one.content + more) if one.path == CONFIG else one for one in found]
