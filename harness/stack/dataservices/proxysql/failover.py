"""The failover that module 8 has to have survived before it is called complete, as a plan. Pure.

A client on every node of Galera writes through both proxies, and notes what was acknowledged. The MariaDB that is
written to dies: the proxies have to see that in time, and writes go on; it comes back, and they have to use it again.
"""

from collections.abc import Sequence

from ..inventory.core import Inventory, Role, Server
from ..plan.beginning import each
from ..plan.core import Ask, Check, Command, Plan, Stage
from ..plan.dying import back, killed
from ..plan.module import Failover
from ..rehearsal.clients import Clients, program, programs
from . import places

SEEN_WITHIN_S, USED_AGAIN_WITHIN_S = 10, 20
_SETTLED_WITHIN_S = 30
_UNIT, _ALIVE = "mariadb.service", "pgrep -x mariadbd"
_TABLE = "keyservices_failover"


def failover_of(inventory: Inventory) -> Failover:
    """Who may be written to, how that is told, and what is done to whoever is."""
    proxies, nodes = inventory.of(Role.PROXYSQL), inventory.of(Role.GALERA)
    own_name = f"\"$({places.CALL} -e 'select @@wsrep_node_name')\""
    leads = f"{places.written_to(proxies[0])} | grep -qx {own_name}"
    return Failover(nodes, leads, lambda writer: _plan(proxies, nodes, writer))


def _plan(proxies: Sequence[Server], nodes: Sequence[Server], writer: Server) -> Plan:
    through = tuple(f"{one.address},{places.PORT}" for one in proxies)
    clients = Clients("keyservices-proxysql-failover", program("rows", "galera"), places.SECRETS, through)
    whole = Check(places.admin("whole"), USED_AGAIN_WITHIN_S)
    compare = f"{clients.program} compare {clients.notes} {clients.secrets}"
    everywhere = f"{compare} {' '.join(f'{one.address},{places.BACKEND_PORT}' for one in nodes)}"
    dropped = f"select count(*) = 0 from information_schema.tables where table_name = '{_TABLE}'"
    tidied = Command(
        f"{places.CALL} {places.DATABASE} -e 'drop table if exists {_TABLE}'",
        f'{places.CALL} -e "{dropped}" | grep -qx 1',
    )
    return Plan(
        "proxysql failover",
        (
            Stage("all are used", each(proxies, (whole,))),
            Stage("clients write", each(nodes, (*programs("rows"), *clients.begin()))),
            Stage(f"{writer.name} dies", {writer.name: (killed((_UNIT,), _ALIVE),)}),
            Stage("it is seen", each(proxies, (Check(places.admin("without", writer.address), SEEN_WITHIN_S),))),
            Stage("writes go on", each(nodes, clients.go_on())),
            Stage(f"{writer.name} is back", {writer.name: (back((_UNIT,)),)}),
            Stage("it is used again", each(proxies, (whole,))),
            Stage(
                "nothing is lost", each(nodes, (clients.end(), Check(everywhere, _SETTLED_WITHIN_S), Ask(everywhere)))
            ),
            Stage("tidied up", {nodes[0].name: (tidied,)}),
        ),
    )
