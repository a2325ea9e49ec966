"""The failover that module 10 has to have survived before it is called complete, as a plan. Pure.

Nobody leads: any server is as good as any other, and the first one dies. Visitors of both balancers write notes and see
them on pages, before, meanwhile and when it is back; every API has all of them in the end.
"""

from ..inventory.core import Inventory, Role, Server
from ..k3s.dying import node_back, node_dies
from ..plan.beginning import each
from ..plan.core import Ask, Check, Command, Plan, Stage
from ..plan.dying import back, killed
from ..plan.module import Failover
from ..postgresql.places import AS_APP, DATABASE, USER, WRITER_PORT
from ..rehearsal.clients import Clients
from .places import (
    ALIVE,
    API_PORT,
    API_UNIT,
    CLIENT,
    FRONT_PORT,
    FRONT_UNIT,
    SECRETS,
    WEB_PORT,
    answers,
    api_host,
    front_host,
    place,
)
from .services.api import TABLE

BACK_WITHIN_S = 60
_UNITS = (API_UNIT, FRONT_UNIT)


def failover_of(inventory: Inventory) -> Failover:
    """Who dies, and what has to be so from then on."""
    return Failover(inventory.of(Role.APPS)[:1], "true", lambda lost: _plan(inventory, lost))


def _plan(inventory: Inventory, lost: Server) -> Plan:
    servers, balancers = inventory.of(Role.APPS), inventory.of(Role.HAPROXY)
    in_k3s = bool(inventory.of(Role.K3S_MASTER))
    death = node_dies(lost, (API_PORT, FRONT_PORT)) if in_k3s else (killed(_UNITS, ALIVE),)
    name = f"127.0.0.1:{WEB_PORT},{api_host(inventory)},{front_host(inventory)}"
    visitors = Clients("keyservices-failover-apps", CLIENT, SECRETS, (name,))
    ready = tuple(
        answers(place(one, port), "here", "/readyz", BACK_WITHIN_S)
        for one in servers
        for port in (API_PORT, FRONT_PORT)
    )
    compare = f"{CLIENT} compare {visitors.notes} {name} {' '.join(place(one, API_PORT) for one in servers)}"
    return Plan(
        "apps failover",
        (
            Stage("all are ready", each(balancers, ready)),
            Stage("visitors come", each(balancers, visitors.begin())),
            Stage(f"{lost.name} dies", {lost.name: death}),
            Stage("visitors are served", each(balancers, visitors.go_on())),
            Stage(f"{lost.name} is back", {lost.name: (node_back(lost) if in_k3s else back(_UNITS),)}),
            Stage("all are ready again", each(balancers, ready)),
            Stage("nothing is lost", each(balancers, (visitors.end(), Check(compare, BACK_WITHIN_S), Ask(compare)))),
            Stage("tidied up", {balancers[0].name: (_tidy(),)}),
        ),
    )


def _tidy() -> Command:
    psql = f"{AS_APP}; psql -w -XAtq -h 127.0.0.1 -p {WRITER_PORT} -U {USER} -d {DATABASE}"
    ours = f"from {TABLE} where board like 'failover-%'"
    return Command(f'{psql} -c "delete {ours}"', f'{psql} -c "select count(*) {ours}" | grep -qx 0')
