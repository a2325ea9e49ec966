"""The failover that module 4 has to have survived before it is called complete, as a plan. Pure.

Clients of both balancers write, and note what a replica has as well (``WAIT 1``). Redis and Sentinel of the master's
server die at once. The Sentinels name another master, the watchers point the balancers there, writes go on, the lost
one comes back as a replica, and whatever was noted is on all servers.
"""

from ..inventory.core import Inventory, Role, Server
from ..plan.beginning import each
from ..plan.core import Action, Ask, Check, Command, Plan, Stage
from ..plan.dying import back, killed
from ..plan.module import Failover
from ..rehearsal.clients import Clients
from .places import ALIVE, ASKED, CLIENT, LEADS, MASTER_BEHIND, PORT, SECRETS, UNITS, followed_by, named_another

LED_WITHIN_S, FOLLOWS_WITHIN_S = 60, 60
_CLIENTS = "keyservices-failover-redis"


def key_of(balancer: Server) -> str:
    """The key below which this balancer's client writes."""
    return f"keyservices-failover-{balancer.name}"


def failover_of(inventory: Inventory) -> Failover:
    """Who may be master, how that is told, and what is done to whoever is."""
    return Failover(inventory.of(Role.REDIS), LEADS, lambda master: _plan(inventory, master))


def _plan(inventory: Inventory, master: Server) -> Plan:
    servers, balancers = inventory.of(Role.REDIS), inventory.of(Role.HAPROXY)
    writing = {one.name: Clients(_CLIENTS, CLIENT, SECRETS, (key_of(one),)) for one in balancers}
    others = tuple(one for one in servers if one != master)
    whole = each(balancers, (Check(followed_by(len(others)), FOLLOWS_WITHIN_S),))
    another = {
        **each(others, (Check(named_another(master), LED_WITHIN_S),)),
        **each(balancers, (Check(MASTER_BEHIND, LED_WITHIN_S),)),
    }
    return Plan(
        "redis failover",
        (
            Stage("all follow", whole),
            Stage("clients write", {one: clients.begin() for one, clients in writing.items()}),
            Stage(f"{master.name} dies", {master.name: (killed(UNITS, ALIVE),)}),
            Stage("another one is master", another),
            Stage("writes go on", {one: clients.go_on() for one, clients in writing.items()}),
            Stage(f"{master.name} comes back", {master.name: (back(UNITS),)}),
            Stage(f"{master.name} follows", whole),
            Stage("nothing is lost", {one: _nothing_lost(clients, servers) for one, clients in writing.items()}),
            Stage("tidied up", {one: (_tidied(clients),) for one, clients in writing.items()}),
        ),
    )


def _nothing_lost(clients: Clients, servers: tuple[Server, ...]) -> tuple[Action, ...]:
    places = " ".join(f"{one.address},{PORT}" for one in servers)
    return (clients.end(), Ask(f"{CLIENT} compare {clients.notes} {SECRETS} {clients.names[0]} {places}"))


def _tidied(clients: Clients) -> Command:
    (key,) = clients.names
    through = f"{ASKED} -h 127.0.0.1"
    return Command(f"{through} del {key}", f"{through} exists {key} | grep -qx 0")
