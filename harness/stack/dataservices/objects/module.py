"""Module 6: an object store (S3) on three servers, whichever of two it is: the same port, the same keys, the same tool.

Which one is in the module's settings, of which the first install keeps what it chose: SeaweedFS where its wheel is in
the folder of packages, MinIO where its programs are. Every server notes whose objects it has, and refuses another one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..credentials.core import OBJECTS, Credentials
from ..inventory.core import Inventory, Role, Server
from ..plan.beginning import beginning, each
from ..plan.core import Action, Check, Command, Directory, File, Plan, Stage
from ..plan.footprint import ANYBODY, Footprint, Leftover, Opening
from ..plan.module import Failover, ModuleImpossible, check_roles
from ..programs.core import MINIO, SEAWEEDFS, Program
from ..rehearsal.clients import programs
from ..templates.render import render
from . import minio, places, seaweedfs
from .failover import failover_of

_SERVED_WITHIN_S = 60
_FOOTPRINT = Footprint(
    (
        # Clients ask any server: there is nobody before them.
        Opening((Role.OBJECTS,), places.CLIENT_PORTS, ANYBODY),
        Opening((Role.OBJECTS,), places.PEER_PORTS, (Role.OBJECTS,)),
    ),
    leftovers=(
        Leftover(
            (Role.OBJECTS,),
            (places.WATCHER_UNIT, places.UNIT, places.ETCD_UNIT),
            (*seaweedfs.LEFT, *minio.LEFT, places.SETTINGS, places.TOOL, places.HOME),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Store:
    """Which one it is, and its programs: SeaweedFS's wheel, or MinIO's server and client."""

    name: str
    programs: tuple[Program, ...]


@dataclass(frozen=True, slots=True)
class ObjectsModule:
    """See the module's docstring."""

    store: Store | None = None
    number: int = 6
    name: str = "objects"
    title: str = "Object store (S3)"
    roles: tuple[Role, ...] = (Role.OBJECTS,)
    credentials: Credentials | None = OBJECTS
    footprint: Footprint = _FOOTPRINT

    def plan(self, inventory: Inventory, secrets: Mapping[str, str]) -> Plan:
        """Credentials, prepared servers, the store on each, all as one, the client's tool, and that it answers."""
        check_roles(self, inventory)
        store, servers = self._chosen(), inventory.of(Role.OBJECTS)
        if strange := [one.name for one in servers if ":" in one.address]:
            raise ModuleImpossible(f"{', '.join(strange)}: a store is installed with addresses of version 4 alone")
        which = {SEAWEEDFS: seaweedfs, MINIO: minio}[store.name]
        prepared = {one.name: _prepared(one, store.name, which.prepared()) for one in servers}
        return Plan(
            self.name,
            (
                *beginning(self, inventory, secrets, prepared),
                Stage("single", {one.name: _single(store, one, servers, secrets) for one in servers}),
                Stage("cluster", each(servers, which.cluster())),
                Stage("client", {one.name: _client(store, one, servers, secrets) for one in servers}),
                Stage("validated", each(servers, (*which.proven(), *_proof(servers)))),
            ),
        )

    def failover(self, inventory: Inventory) -> Failover | None:
        """A server's store dies, the one that leads where one does, while clients of all servers put objects."""
        return failover_of(inventory, self._chosen().name)

    def _chosen(self) -> Store:
        if self.store is None:
            raise ModuleImpossible(f"module {self.number} ({self.title}) does not know which store it is to be")
        return self.store


def _prepared(server: Server, store: str, packages: tuple[Action, ...]) -> tuple[Action, ...]:
    user = f"useradd --system --user-group --home-dir {places.HOME} --shell /usr/sbin/nologin {places.USER}"
    # What is there is another store's: this fails, and says so.
    noted = f"[ ! -e {places.FOUNDED} ] && printf '%s\\n' {store} >{places.FOUNDED}.new && sync {places.FOUNDED}.new"
    return (
        Directory("/etc/keyservices", 0o755),
        Directory("/usr/local/lib/keyservices"),
        Directory("/opt/keyservices/packages"),
        Command(user, f"id -u {places.USER}"),
        Directory(places.SETTINGS, 0o755),
        File(places.PLACE, f"{server.address}\n"),
        Command(
            f"{noted} && mv {places.FOUNDED}.new {places.FOUNDED}",
            f"grep -qx {store} {places.FOUNDED}",
            about=f"the objects of this server are {store}'s, and no other store's",
        ),
        *packages,
    )


def _single(store: Store, server: Server, servers: Sequence[Server], secrets: Mapping[str, str]) -> tuple[Action, ...]:
    if store.name == MINIO:
        server_program, client_program = store.programs
        return minio.single(server, servers, secrets, (server_program, client_program))
    (wheel,) = store.programs
    return seaweedfs.single(server, servers, secrets, wheel)


def _client(store: Store, server: Server, servers: Sequence[Server], secrets: Mapping[str, str]) -> tuple[Action, ...]:
    tool = File(places.TOOL, render("objects-tool.j2", call=places.tool(places.own_first(server, servers))), 0o755)
    return (*programs("s3", "objects"), tool, *(minio.client(server, secrets) if store.name == MINIO else ()))


def _proof(servers: Sequence[Server]) -> tuple[Action, ...]:
    return (Check(f"{places.client(servers)} through {places.SECRETS}", _SERVED_WITHIN_S),)
