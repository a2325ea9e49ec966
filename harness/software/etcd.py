"""etcd: a replicated store with linearizable writes, one member a node (etcd.io/docs/v3.5/op-guide)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.addresses import AddressPlan
from harness.engines.engine import NodeFile
from harness.software.boot import starts_at_boot
from harness.topology import Topology

CLIENT_PORT = 2379
PEER_PORT = 2380


@dataclass(frozen=True, slots=True)
class Etcd:
    """Members talk over the service network and listen for clients on every address, so also on the virtual one."""

    name: str = "etcd"
    service_port: int = CLIENT_PORT
    heartbeat_ms: int = 50
    election_ms: int = 500
    unsafe_no_fsync: bool = False
    """Acknowledge what is not on the disk yet: a sabotage, for power cuts that show it."""

    @property
    def has_membership(self) -> bool:
        """No Corosync."""
        return False

    def layers(self, image: Path) -> Sequence[Path]:
        """It is in the image."""
        return ()

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """One script that starts the member; its data is on the node's disk and survives a power cut."""
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
            "heartbeat-interval": self.heartbeat_ms,
            "election-timeout": self.election_ms,
            "log-level": "warn",
        }
        unsafe = ["--unsafe-no-fsync"] if self.unsafe_no_fsync else []
        command = " ".join(["/usr/bin/etcd", *unsafe, *(f"--{key}={value}" for key, value in options.items())])
        return (starts_at_boot(40, self.name, "mkdir -p -m 700 /var/lib/etcd", command),)

    def configuration_paths(self) -> Sequence[str]:
        """Nothing that is the same on all nodes."""
        return ()

    def log_path(self) -> str | None:
        """No structured log that is read."""
        return None

    def first_look(self) -> str:
        """What its member says of itself."""
        return "etcdctl endpoint status"

    def settings(self) -> Mapping[str, Any]:
        """Its timing, and whether it syncs."""
        timing = {"heartbeat_ms": self.heartbeat_ms, "election_ms": self.election_ms}
        return timing | ({"unsafe_no_fsync": True} if self.unsafe_no_fsync else {})
