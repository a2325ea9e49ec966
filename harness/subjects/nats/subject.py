"""NATS JetStream: what is published is acknowledged once most servers have it (docs.nats.io, JetStream clustering)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.addresses import AddressPlan
from harness.checks.expected import Expected
from harness.conditions import Condition
from harness.engines.engine import NodeFile
from harness.subjects.boot import starts_at_boot
from harness.subjects.nats.client import MODELS, NatsClient
from harness.subjects.subject import Subject, known_model
from harness.topology import Topology
from harness.workloads.client import Client
from harness.workloads.load import ModelName, Route

CLIENT_PORT, PEER_PORT = 4222, 6222
_CONFIGURATION = "/etc/harness-nats.conf"


@dataclass(frozen=True, slots=True)
class Nats(Subject):
    """Servers talk over the service network and listen for clients on every address, so also on the virtual one."""

    name = "nats"
    image = "nats"
    service_port = CLIENT_PORT
    models = MODELS
    standing = (Expected("nothing_lost"),)
    first_look = "cat /var/log/boot/*nats*"

    sync_interval: Literal["2m", "always"] = "2m"
    """When it syncs what it acknowledges. Every two minutes is what it does unless it is told."""

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """Its configuration, and one script that starts the server."""
        routes = ", ".join(f'"nats-route://{plan.address(name)}:{PEER_PORT}"' for name in topology.node_names)
        text = f"""\
server_name: {node}
listen: 0.0.0.0:{CLIENT_PORT}
jetstream {{ store_dir: /var/lib/nats, sync_interval: {self.sync_interval} }}
cluster {{ name: harness, listen: "{plan.address(node)}:{PEER_PORT}", routes: [ {routes} ] }}
"""
        command = f"/usr/sbin/nats-server --config {_CONFIGURATION}"
        return (
            NodeFile(_CONFIGURATION, text.encode()),
            starts_at_boot(40, self.name, "mkdir -p -m 700 /var/lib/nats", command),
        )

    def settled(self, topology: Topology, plan: AddressPlan, up: tuple[str, ...]) -> Sequence[Condition]:
        """Nothing to wait for: clients try until it works."""
        return ()

    def client(self, model: ModelName, route: Route) -> Client:
        """A client of one server."""
        known_model(self, model)
        return NatsClient(route)
