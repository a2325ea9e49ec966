"""The failover that module 7 has to have survived before it is called complete, as a plan. Pure.

A client on every server writes through both balancers, and notes what was acknowledged. The MariaDB that is written to
dies; another one is written to, the writes go on, the lost one is in step again, and whatever was acknowledged is on
all servers.
"""

from collections.abc import Sequence

from ..inventory.core import Inventory, Role, Server
from ..plan.core import Action, Ask, Check, Command, Plan, Stage
from ..plan.dying import back, killed
from ..plan.module import Failover
from ..rehearsal.clients import Clients, program, programs
from .places import CALL, DATABASE, PORT, SECRETS, UNIT, WRITER_PORT, asked, by_balancer, in_step

_ALIVE = "pgrep -x mariadbd"
MOVED_WITHIN_S, BACK_WITHIN_S = 30, 120


def failover_of(inventory: Inventory) -> Failover:
    """Who may be written to, how that is told, and what is done to whoever is."""
    return Failover(
        inventory.of(Role.GALERA),
        by_balancer(inventory.of(Role.HAPROXY)[0], WRITER_PORT, "@@wsrep_node_name") + f" | grep -qx {_own_name()}",
        lambda writer: _plan(inventory, writer),
    )


def _own_name() -> str:
    return f"\"$({CALL} -e 'select @@wsrep_node_name')\""


def _plan(inventory: Inventory, writer: Server) -> Plan:
    servers, balancers = inventory.of(Role.GALERA), inventory.of(Role.HAPROXY)
    others = [one for one in servers if one != writer]
    places = tuple(f"{one.address},{WRITER_PORT}" for one in balancers)
    clients = Clients("keyservices-galera-failover", program("rows", "galera"), SECRETS, places)

    def each(*actions: Action) -> dict[str, tuple[Action, ...]]:
        return {one.name: actions for one in servers}

    whole = Check(in_step(len(servers)), BACK_WITHIN_S)
    moved = tuple(_written_elsewhere(one, writer) for one in balancers)
    return Plan(
        "galera failover",
        (
            Stage("all in step", each(whole)),
            Stage("clients write", each(*programs("rows"), *clients.begin())),
            Stage(f"{writer.name} dies", {writer.name: (killed((UNIT,), _ALIVE),)}),
            Stage("another one is written to", {one.name: moved for one in others}),
            Stage("writes go on", each(*clients.go_on())),
            Stage(f"{writer.name} is back", {writer.name: (back((UNIT,)),)}),
            Stage("all in step again", each(whole)),
            Stage("nothing is lost", each(*_nothing_lost(clients, servers))),
            Stage("tidied up", {servers[0].name: (_tidy(),)}),
        ),
    )


def _written_elsewhere(balancer: Server, writer: Server) -> Check:
    ask = by_balancer(balancer, WRITER_PORT, "@@wsrep_node_name")
    return Check(f'said=$({ask}) && [ -n "$said" ] && [ "$said" != \'{writer.name}\' ]', MOVED_WITHIN_S)


def _nothing_lost(clients: Clients, servers: Sequence[Server]) -> tuple[Action, ...]:
    places = " ".join(f"{one.address},{PORT}" for one in servers)
    compare = f"{clients.program} compare {clients.notes} {clients.secrets} {places}"
    return (clients.end(), Check(compare, 30), Ask(compare))


def _tidy() -> Command:
    gone = "select count(*) = 0 from information_schema.tables where table_name = 'keyservices_failover'"
    return Command(f"{CALL} {DATABASE} -e 'drop table if exists keyservices_failover'", asked(gone))
