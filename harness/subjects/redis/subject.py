"""Redis with asynchronous replication: it acknowledges before it replicates (redis.io/docs, replication)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.addresses import AddressPlan
from harness.checks.expected import Expected
from harness.conditions import Condition
from harness.engines.engine import Engine, NodeFile
from harness.errors import HarnessError
from harness.subjects.boot import starts_at_boot
from harness.subjects.resp import MODELS, RespClient
from harness.subjects.subject import OperatorAction, Subject, known_model
from harness.topology import Topology
from harness.workloads.client import Client
from harness.workloads.load import ModelName, Route

CLIENT_PORT = 6379
OTHER_PORT = 6380


@dataclass(frozen=True, slots=True)
class Redis(Subject):
    """The first node of the topology is the master, the others replicate it; nobody promotes by himself."""

    name = "redis"
    service_port = CLIENT_PORT
    models = MODELS
    standing = (Expected("nothing_lost"),)
    first_look = "redis-cli info replication"

    appendfsync: Literal["always", "everysec", "no"] = "always"
    """When it syncs what it acknowledges: anything but ``always`` is a sabotage, for power cuts that show it."""

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """One script that starts the server."""
        master = topology.node_names[0]
        options = [
            f"--port {CLIENT_PORT} --bind 0.0.0.0 --protected-mode no --dir /var/lib/redis",
            f"--appendonly yes --appendfsync {self.appendfsync} --repl-diskless-sync-delay 0",
        ]
        if node != master:
            options.append(f"--replicaof {plan.address(master)} {CLIENT_PORT}")
        return (starts_at_boot(40, self.name, "mkdir -p /var/lib/redis", f"/usr/bin/redis-server {' '.join(options)}"),)

    def operator_actions(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[OperatorAction]:
        """Its configuration can be changed while it runs."""
        back = f"{_listens(CLIENT_PORT)} || redis-cli -p {OTHER_PORT} config set port {CLIENT_PORT}"
        return (
            OperatorAction(
                name="other-port",
                about=f"the server listens on port {OTHER_PORT} instead (CONFIG SET port)",
                do=("redis-cli", "config", "set", "port", str(OTHER_PORT)),
                undo=("sh", "-c", back),
                seen=("sh", "-c", f"{_listens(OTHER_PORT)} && ! {_listens(CLIENT_PORT)}"),
            ),
        )

    def settled(self, topology: Topology, plan: AddressPlan, up: tuple[str, ...]) -> Sequence[Condition]:
        """Nothing to wait for: clients try until it works."""
        return ()

    def client(self, model: ModelName, route: Route) -> Client:
        """A client of one server."""
        known_model(self, model, "Redis")
        return RespClient(route)

    async def promote(self, engine: Engine, topology: Topology, plan: AddressPlan, node: str) -> None:
        """Make a node the master, and every other a replica of it."""
        await self._tell(engine, node, "NO", "ONE")
        for other in topology.node_names:
            if other != node:
                await self._tell(engine, other, plan.address(node), str(CLIENT_PORT))

    async def _tell(self, engine: Engine, node: str, *master: str) -> None:
        done = await engine.exec(node, ("redis-cli", "REPLICAOF", *master))
        if done.exit_code != 0 or b"OK" not in done.stdout:
            raise HarnessError(f"redis on {node} does not change its role: {(done.stdout + done.stderr).decode()}")


def _listens(port: int) -> str:
    """In a shell: whether the node's kernel has a socket that listens there (proc(5): state 0A)."""
    return f"grep -qE '^ *[0-9]+: [0-9A-F]+:{port:04X} [0-9A-F:]+ 0A ' /proc/net/tcp"
