"""Redis with asynchronous replication: it acknowledges before it replicates (redis.io/docs, replication)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from harness.addresses import AddressPlan
from harness.engines.engine import Engine, NodeFile
from harness.errors import HarnessError
from harness.software.boot import starts_at_boot
from harness.topology import Topology

CLIENT_PORT = 6379


@dataclass(frozen=True, slots=True)
class Redis:
    """The first node of the topology is the master, the others replicate it; nobody promotes by himself."""

    name: str = "redis"
    service_port: int = CLIENT_PORT
    appendfsync: Literal["always", "everysec", "no"] = "always"
    """When it syncs what it acknowledges: anything but ``always`` is a sabotage, for power cuts that show it."""

    @property
    def has_membership(self) -> bool:
        """No Corosync."""
        return False

    def layers(self, image: Path) -> Sequence[Path]:
        """It is in the image."""
        return ()

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

    def configuration_paths(self) -> Sequence[str]:
        """Roles differ, so nothing is compared."""
        return ()

    def log_path(self) -> str | None:
        """No structured log."""
        return None

    def first_look(self) -> str:
        """Its role, and who replicates whom."""
        return "redis-cli info replication"

    def settings(self) -> Mapping[str, Any]:
        """When it syncs."""
        return {"appendfsync": self.appendfsync}

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
