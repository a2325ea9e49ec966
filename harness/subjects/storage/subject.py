"""mfs-autonomy as its users install it, on nodes whose kernel has NBD where the engine gives them one."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.addresses import AddressPlan
from harness.checks.expected import Expected
from harness.conditions import Condition
from harness.engines.engine import Engine, NodeFile
from harness.errors import HarnessError
from harness.images.program_layer import ensure_program_layer
from harness.subjects.boot import starts_at_boot
from harness.subjects.subject import Subject
from harness.topology import Topology

COMMAND, DAEMON = "mfs-autonomy", "mfs-autonomy-daemon"
CONFIG, LOG, TOKEN = "/etc/mfs-autonomy/config.yml", "/var/log/mfs-autonomy.jsonl", "/root/token"
CLUSTER_KEY = "/etc/mfs-autonomy/cluster.key"
API_PORT, PEER_PORT = 8411, 8413
SHARED = "/srv/shared"
"""What nodes are told to share, where they hear of each other: its name counts, not what is in it."""
METALOGGER = "/srv/metalogger"
"""The folder of the one that scenarios have."""
CARED_FOR, KEPT, ONE_COPY = "/mnt/mfs/volumes", "/mnt/mfs/kept", "ONE"
"""Folders of volumes on a MooseFS: of the first a volume may have one copy, of the second two at least."""
CARE = {
    "tiering": {
        "folders": [{"path": CARED_FOR, "least_copies": 1}, {"path": KEPT, "least_copies": 2}],
        "tiers": [{"class": "2CP"}, {"class": ONE_COPY, "idle_h": 24}],
        "every_s": 1,
    },
    "snapshots": {"folders": [{"path": CARED_FOR}], "keep": 2, "every_s": 1},
}


@dataclass(frozen=True, slots=True)
class MfsAutonomy(Subject):
    """A command on every node, without its daemon: nothing runs until somebody calls it, nothing has to settle."""

    name = COMMAND
    image = "storage"
    standing: Sequence[Expected] = ()
    first_look = f"{COMMAND} status"

    def layers(self, image: Path) -> Sequence[Path]:
        """The program."""
        return (ensure_program_layer(image, "storage", name=COMMAND),)

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """None of its own."""
        return ()

    def settled(self, topology: Topology, plan: AddressPlan, up: tuple[str, ...]) -> Sequence[Condition]:
        """Nothing to wait for."""
        return ()

    async def load_nbd(self, engine: Engine, node: str) -> None:
        """Have the node's kernel load NBD with its 16 devices. HarnessError where it has none."""
        done = await engine.exec(node, ["modprobe", "nbd"])
        if done.exit_code:
            raise HarnessError(f"{node} has no NBD: {(done.stdout + done.stderr).decode().strip()}")


@dataclass(frozen=True, slots=True)
class MfsAutonomyDaemon(MfsAutonomy):
    """The same with its daemon on every node, started at boot, and a token that may do everything."""

    name = DAEMON
    service_port = 9421
    """Of MooseFS's master, for its clients: where there is an address, it is that."""
    level: int = 4
    every_s: int = 1
    failover_on: str = ""
    """The node whose metalogger may become the master of MooseFS, at the first virtual address of the topology."""
    cares_on: str = ""
    """The node whose daemon makes snapshots of volumes on MooseFS, and gives them the class that they are used for."""
    peers: bool = False
    """Whether the daemons tell each other what they have."""

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """Settings, and what starts it."""
        config = f"level: {self.level}\nevery_s: {self.every_s}\n"
        if node == self.failover_on:
            config += f"failover: {{address: {plan.vip(topology.vips[0].name)}, metalogger: {METALOGGER}}}\n"
        if node == self.cares_on:
            config += "".join(f"{name}: {json.dumps(wanted)}\n" for name, wanted in CARE.items())  # JSON is YAML
        key: Sequence[NodeFile] = ()
        if self.peers:
            config += _cluster(node, topology, plan)
            key = (NodeFile(CLUSTER_KEY, hashlib.sha256(topology.name.encode()).hexdigest().encode(), mode=0o600),)
        return (
            *key,
            NodeFile(CONFIG, config.encode()),
            starts_at_boot(
                40,
                COMMAND,
                f"[ -s {TOKEN} ] || {COMMAND} token create owner --role admin > {TOKEN}",
                f"{COMMAND} daemon >> {LOG} 2>&1",
            ),
        )


def _cluster(node: str, topology: Topology, plan: AddressPlan) -> str:
    """Of the settings: each hears of all others."""
    peers = [
        {"name": other, "address": f"{plan.address(other)}:{PEER_PORT}"}
        for other in topology.node_names
        if other != node
    ]
    known = {"name": node, "listen": f"{plan.address(node)}:{PEER_PORT}", "peers": peers, "shared": [SHARED]}
    return f"cluster: {json.dumps(known)}\n"  # JSON is YAML
