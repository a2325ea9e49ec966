"""The failover that module 6 has to have survived before it is called complete, as a plan. Pure.

A client on every server puts objects, by another server where one gives no answer, and notes what was acknowledged. One
server's store dies: the one whose master leads, of SeaweedFS. All that was acknowledged is given by the others, objects
are put all the same, the lost one comes back, and gives all of it as well.
"""

from collections.abc import Sequence

from ..inventory.core import Inventory, Role, Server
from ..plan.beginning import each
from ..plan.core import Ask, Check, Plan, Stage
from ..plan.dying import back, killed
from ..plan.module import Failover
from ..programs.core import MINIO
from ..rehearsal.clients import Clients
from . import minio, places, seaweedfs

READABLE_WITHIN_S, WHOLE_WITHIN_S = 60, 120
_CLIENTS = "keyservices-failover-objects"


def failover_of(inventory: Inventory, store: str) -> Failover:
    """Who may die, how that is told, and what is done to whoever does."""
    servers = inventory.of(Role.OBJECTS)
    # Of MinIO nobody leads.
    leads = places.is_here(servers[0]) if store == MINIO else places.leads()
    return Failover(servers, leads, lambda lost: _plan(servers, lost, store))


def _plan(servers: Sequence[Server], lost: Server, store: str) -> Plan:
    which = minio if store == MINIO else seaweedfs
    others = tuple(one for one in servers if one != lost)
    # Each by its own server first: so one is in the midst of it when that dies.
    put = {one.name: _clients(places.own_first(one, servers), one.name) for one in servers}
    whole = Check(f"{places.client(servers)} through {places.SECRETS}", WHOLE_WITHIN_S)
    return Plan(
        "objects failover",
        (
            Stage("all serve", each(servers, (whole,))),
            Stage("clients put objects", {one: clients.begin() for one, clients in put.items()}),
            Stage(f"{lost.name} dies", {lost.name: (killed(which.UNITS, which.ALIVE),)}),
            Stage("objects are read", {one: (_read(others, clients),) for one, clients in put.items()}),
            Stage("objects are put", {one: clients.go_on() for one, clients in put.items()}),
            Stage(f"{lost.name} is back", {lost.name: (back(which.UNITS),)}),
            Stage("all serve again", each(servers, (whole,))),
            Stage("nothing is lost", {one: (clients.end(), *_all(servers, clients)) for one, clients in put.items()}),
            Stage("tidied up", {one: (_tidied(servers, clients),) for one, clients in put.items()}),
        ),
    )


def _clients(servers: Sequence[Server], name: str) -> Clients:
    return Clients(_CLIENTS, places.client(servers), places.SECRETS, (name,))


def _compared(servers: Sequence[Server], clients: Clients, word: str = "compare") -> str:
    (name,) = clients.names
    return f"{places.client(servers)} {word} {clients.notes} {clients.secrets} {name}"


def _read(servers: Sequence[Server], clients: Clients) -> Check:
    return Check(_compared(servers, clients), READABLE_WITHIN_S)


def _all(servers: Sequence[Server], clients: Clients) -> tuple[Check, Ask]:
    return Check(_compared(servers, clients), WHOLE_WITHIN_S), Ask(_compared(servers, clients))


def _tidied(servers: Sequence[Server], clients: Clients) -> Check:
    return Check(_compared(servers, clients, "tidy"), WHOLE_WITHIN_S)
