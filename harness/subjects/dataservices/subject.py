"""keyservices as its users have it: a command on fresh servers that boot systemd and let the installer's key in."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.addresses import AddressPlan
from harness.checks.expected import Expected
from harness.conditions import Condition
from harness.engines.engine import NodeFile
from harness.images.program_layer import ensure_program_layer
from harness.subjects.resp import MODELS, RespClient
from harness.subjects.subject import Subject, known_model
from harness.topology import Topology
from harness.workloads.client import Client
from harness.workloads.load import ModelName, Route

COMMAND = "keyservices"
REDIS_PORT = 6379
PASSWORD = "ofTheseScenariosAlone0123456789a"
"""Of Redis: what is in the credentials already stays, so clients can know it beforehand."""
SECRETS = "/opt/keyservices/credentials/redis.env"
INVENTORY = "/opt/keyservices/inventory/servers.tsv"


@dataclass(frozen=True, slots=True)
class Keyservices(Subject):
    """Nothing runs until somebody calls it. The first node is the installer; what the others are, a scenario says."""

    name = COMMAND
    image = "services"
    service_port = REDIS_PORT
    models = MODELS
    settles_by_itself = False
    standing = (Expected("nothing_lost"),)
    first_look = f"{COMMAND} check"

    def layers(self, image: Path) -> Sequence[Path]:
        """The program."""
        return (ensure_program_layer(image, "dataservices", name=COMMAND),)

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """What the installer knows before it begins: a password."""
        if node != topology.node_names[0]:
            return ()
        return (NodeFile(SECRETS, f"REDIS_PASSWORD={PASSWORD}\n".encode(), 0o600),)

    def settled(self, topology: Topology, plan: AddressPlan, up: tuple[str, ...]) -> Sequence[Condition]:
        """Nothing to wait for."""
        return ()

    def client(self, model: ModelName, route: Route) -> Client:
        """A client of Redis, by a balancer or a server's own address."""
        known_model(self, model)
        return RespClient(route, PASSWORD)
