"""keyservices as its users have it: a command on fresh servers that boot systemd and let the installer's key in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

from harness.addresses import AddressPlan
from harness.checks.expected import Expected
from harness.conditions import Condition
from harness.engines.engine import NodeFile
from harness.images.program_layer import ensure_program_layer
from harness.subjects.dataservices.notes import MODELS as NOTES
from harness.subjects.dataservices.notes import NotesClient
from harness.subjects.dataservices.objects import MODELS as OBJECT_MODELS
from harness.subjects.dataservices.objects import Keys, ObjectsClient
from harness.subjects.dataservices.rabbitmq import MODELS as QUEUES
from harness.subjects.dataservices.rabbitmq import RabbitmqClient
from harness.subjects.dataservices.wheel import ensure_wheel_layer
from harness.subjects.mariadb import SYNC_WAIT, MariadbClient
from harness.subjects.postgres import PostgresClient
from harness.subjects.resp import MODELS as RESP_MODELS
from harness.subjects.resp import RespClient
from harness.subjects.subject import Subject, known_model
from harness.topology import Topology
from harness.workloads.client import Client
from harness.workloads.load import ModelName, Route
from harness.workloads.rows import MODELS

COMMAND, POSTGRESQL, RABBITMQ = "keyservices", "keyservices-postgresql", "keyservices-rabbitmq"
BARE, GALERA, OBJECTS = "keyservices-bare", "keyservices-galera", "keyservices-objects"
APPS = "keyservices-apps"
REDIS_PORT, POSTGRESQL_PORT, RABBITMQ_PORT, MARIADB_PORT, S3_PORT = 6379, 5432, 5672, 3306, 9000
WEB_PORT, API_PORT = 80, 8081
PASSWORD = "ofTheseScenariosAlone0123456789a"
"""Of clients: what is in the credentials already stays, so they can know it beforehand."""
SECRETS = "/opt/keyservices/credentials/redis.env"
POSTGRESQL_SECRETS = "/opt/keyservices/credentials/postgres.env"
RABBITMQ_SECRETS = "/opt/keyservices/credentials/rabbitmq.env"
GALERA_SECRETS = "/opt/keyservices/credentials/mariadb.env"
OBJECTS_SECRETS = "/opt/keyservices/credentials/objects.env"
APPS_SECRETS = "/opt/keyservices/credentials/apps.env"
INVENTORY = "/opt/keyservices/inventory/servers.tsv"


@dataclass(frozen=True, slots=True)
class Keyservices(Subject):
    """Nothing runs until somebody calls it. The first node is the installer; what the others are, a scenario says.

    Its clients are of Redis.
    """

    name = COMMAND
    image = "services"
    service_port = REDIS_PORT
    models = RESP_MODELS
    settles_by_itself = False
    standing: ClassVar[tuple[Expected, ...]] = (Expected("nothing_lost"),)
    first_look = f"{COMMAND} check"
    known_beforehand: ClassVar = (SECRETS, "REDIS_PASSWORD")
    """A file of credentials, and the variable in it that clients know."""

    def layers(self, image: Path) -> Sequence[Path]:
        """The program."""
        return (ensure_program_layer(image, "dataservices", name=COMMAND),)

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """What the installer knows before it begins: a password."""
        if node != topology.node_names[0]:
            return ()
        file, variable = self.known_beforehand
        return (NodeFile(file, f"{variable}={PASSWORD}\n".encode(), 0o600),)

    def settled(self, topology: Topology, plan: AddressPlan, up: tuple[str, ...]) -> Sequence[Condition]:
        """Nothing to wait for."""
        return ()

    def client(self, model: ModelName, route: Route) -> Client:
        """A client of Redis, by a balancer or a server's own address."""
        known_model(self, model)
        return RespClient(route, PASSWORD)


@dataclass(frozen=True, slots=True)
class KeyservicesBare(Keyservices):
    """The same without clients: for those who see what becomes of the servers themselves."""

    name = BARE
    models = ()
    standing = ()


@dataclass(frozen=True, slots=True)
class KeyservicesPostgresql(Keyservices):
    """The same, with clients of PostgreSQL."""

    name = POSTGRESQL
    service_port = POSTGRESQL_PORT
    models = MODELS
    known_beforehand: ClassVar = (POSTGRESQL_SECRETS, "POSTGRES_APP_PASSWORD")

    def client(self, model: ModelName, route: Route) -> Client:
        """A client of PostgreSQL, by a balancer or a server's own address."""
        known_model(self, model)
        return PostgresClient(model, route, user="app", password=PASSWORD)


@dataclass(frozen=True, slots=True)
class KeyservicesRabbitmq(Keyservices):
    """The same, with clients of RabbitMQ."""

    name = RABBITMQ
    image = "services-rabbitmq"
    service_port = RABBITMQ_PORT
    models = QUEUES
    standing = (Expected("queue_delivers", {"delivery": "at-least-once", "ordered": False}),)
    known_beforehand: ClassVar = (RABBITMQ_SECRETS, "RABBITMQ_APP_PASSWORD")
    confirms: bool = True
    """Clients wait until what they publish is confirmed; without, they take for acknowledged what they have sent."""

    def client(self, model: ModelName, route: Route) -> Client:
        """A client of RabbitMQ, by a balancer or a server's own address."""
        known_model(self, model)
        return RabbitmqClient(route, user="app", password=PASSWORD, confirms=self.confirms)


@dataclass(frozen=True, slots=True)
class KeyservicesGalera(Keyservices):
    """The same, with clients of MariaDB."""

    name = GALERA
    service_port = MARIADB_PORT
    models = MODELS
    known_beforehand: ClassVar = (GALERA_SECRETS, "MARIADB_APP_PASSWORD")
    session: Mapping[str, int] = field(default_factory=lambda: SYNC_WAIT)
    """What each client sets for itself."""

    def client(self, model: ModelName, route: Route) -> Client:
        """A client of MariaDB, by a balancer or a server's own address."""
        known_model(self, model)
        return MariadbClient(model, route, user="app", password=PASSWORD, settings=self.session)


@dataclass(frozen=True, slots=True)
class KeyservicesObjects(Keyservices):
    """The same, with clients of an object store; whoever installs has SeaweedFS's wheel."""

    name = OBJECTS
    image = "services-objects"
    service_port = S3_PORT
    models = OBJECT_MODELS
    standing = (Expected("set_complete"),)
    known_beforehand: ClassVar = (OBJECTS_SECRETS, "OBJECTS_SECRET_KEY")

    def layers(self, image: Path) -> Sequence[Path]:
        """The program, and the wheel."""
        # Without an argument, super() would look at the class before slots made it anew.
        return (*Keyservices.layers(self, image), ensure_wheel_layer())

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """What the installer knows before it begins: both keys."""
        return tuple(
            NodeFile(one.path, one.content + f"OBJECTS_ACCESS_KEY={PASSWORD}\n".encode(), one.mode)
            for one in Keyservices.files(self, node, topology, plan)
        )

    def client(self, model: ModelName, route: Route) -> Client:
        """A client of S3, by a server's own address."""
        known_model(self, model)
        return ObjectsClient(route, Keys(PASSWORD, PASSWORD))


@dataclass(frozen=True, slots=True)
class KeyservicesApps(KeyservicesPostgresql):
    """The same, with visitors of the API and the front, which keep their notes in PostgreSQL."""

    name = APPS
    service_port = API_PORT
    models = NOTES

    def client(self, model: ModelName, route: Route) -> Client:
        """A visitor, by a balancer; and of a server itself, whose API is elsewhere than a balancer has it."""
        known_model(self, model)
        return NotesClient(replace(route, port=API_PORT) if route.node else route)
