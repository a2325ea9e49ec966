"""etcd: a replicated store with linearizable writes, one member a node (etcd.io/docs/v3.5/op-guide)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.addresses import AddressPlan
from harness.checks.expected import Expected
from harness.conditions import Condition
from harness.engines.engine import NodeFile
from harness.subjects.boot import starts_at_boot
from harness.subjects.etcd.client import MODELS, EtcdClient
from harness.subjects.subject import Subject, known_model
from harness.topology import Topology
from harness.workloads.client import Client
from harness.workloads.load import ModelName, Route

CLIENT_PORT = 2379
PEER_PORT = 2380
QUICK_HEARTBEAT_MS, QUICK_ELECTION_MS = 50, 500
_HEARTBEATS_OF_AN_ELECTION = 10
"""Its guide to tuning: a heartbeat as long as a round trip, and ten round trips before somebody else wants to lead."""
SLOW_HEARTBEAT_MS, SLOW_ELECTION_MS = 200, 2000


@dataclass(frozen=True, slots=True)
class Etcd(Subject):
    """Members talk over the service network and listen for clients on every address, so also on the virtual one."""

    name = "etcd"
    service_port = CLIENT_PORT
    models = MODELS
    standing = (Expected("nothing_lost"),)
    first_look = "etcdctl endpoint status"

    heartbeat_ms: int = QUICK_HEARTBEAT_MS
    election_ms: int = QUICK_ELECTION_MS
    unsafe_no_fsync: bool = False
    """Acknowledge what is not on the disk yet: a sabotage, for power cuts that show it."""

    def suited(self, *, own_kernels: bool) -> Subject:
        """Kernels that are programs of this host are late with a heartbeat now and then: an election takes longer."""
        if own_kernels and self.election_ms == QUICK_ELECTION_MS:
            return replace(self, heartbeat_ms=SLOW_HEARTBEAT_MS, election_ms=SLOW_ELECTION_MS)
        return self

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """One script that starts the member; its data is on the node's disk and survives a power cut."""
        heartbeat_ms = math.ceil(2 * topology.longest_way_ms)
        members = ",".join(f"{name}=http://{plan.address(name)}:{PEER_PORT}" for name in topology.node_names)
        options = {
            "name": node,
            "data-dir": "/var/lib/etcd/member",
            "listen-peer-urls": f"http://{plan.address(node)}:{PEER_PORT}",
            "initial-advertise-peer-urls": f"http://{plan.address(node)}:{PEER_PORT}",
            "listen-client-urls": f"http://0.0.0.0:{CLIENT_PORT}",
            "advertise-client-urls": f"http://{plan.address(node)}:{CLIENT_PORT}",
            "initial-cluster": members,
            "initial-cluster-state": "new",
            "heartbeat-interval": max(self.heartbeat_ms, heartbeat_ms),
            "election-timeout": max(self.election_ms, _HEARTBEATS_OF_AN_ELECTION * heartbeat_ms),
            "log-level": "warn",
        }
        unsafe = ["--unsafe-no-fsync"] if self.unsafe_no_fsync else []
        command = " ".join(["/usr/bin/etcd", *unsafe, *(f"--{key}={value}" for key, value in options.items())])
        return (starts_at_boot(40, self.name, "mkdir -p -m 700 /var/lib/etcd", command),)

    def settled(self, topology: Topology, plan: AddressPlan, up: tuple[str, ...]) -> Sequence[Condition]:
        """Nothing to wait for: clients try until it works."""
        return ()

    def client(self, model: ModelName, route: Route) -> Client:
        """A client of one member."""
        known_model(self, model)
        return EtcdClient(model, route)
