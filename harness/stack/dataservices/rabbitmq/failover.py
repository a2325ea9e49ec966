"""The failover that module 5 has to have survived before it is called complete, as a plan. Pure.

Clients of both balancers publish to a queue each, and note what was confirmed. The server that leads the first of these
queues dies at once. Others lead, publishing goes on, the lost one is a member again, and all that was confirmed is
delivered.
"""

from ..inventory.core import Inventory, Role, Server
from ..plan.beginning import each
from ..plan.core import Action, Ask, Check, Plan, Stage
from ..plan.dying import back, killed
from ..plan.module import Failover
from ..rehearsal.clients import Clients
from .places import ALIVE, CLIENT, SECRETS, UNIT, held_by, led_by_another, led_here, queue_of

LED_WITHIN_S, WHOLE_WITHIN_S, DRAINED_WITHIN_S = 60, 120, 60
_CLIENTS = "keyservices-failover-rabbitmq"


def failover_of(inventory: Inventory) -> Failover:
    """Who may lead, how that is told, and what is done to whoever does."""
    servers, balancers = inventory.of(Role.RABBITMQ), inventory.of(Role.HAPROXY)
    return Failover(servers, led_here(queue_of(balancers[0])), lambda leader: _plan(inventory, leader))


def _plan(inventory: Inventory, leader: Server) -> Plan:
    servers, balancers = inventory.of(Role.RABBITMQ), inventory.of(Role.HAPROXY)
    queues = tuple(queue_of(one) for one in balancers)
    publishing = {one.name: Clients(_CLIENTS, CLIENT, SECRETS, (queue_of(one),)) for one in balancers}
    others = tuple(one for one in servers if one != leader)
    whole = Check(held_by(len(servers), *queues), WHOLE_WITHIN_S)
    another = tuple(Check(led_by_another(queue, leader), LED_WITHIN_S) for queue in queues)
    return Plan(
        "rabbitmq failover",
        (
            Stage("all are members", each(servers, (whole,))),
            Stage("clients publish", {one: clients.begin() for one, clients in publishing.items()}),
            Stage(f"{leader.name} dies", {leader.name: (killed((UNIT,), ALIVE),)}),
            Stage("another one leads", each(others, another)),
            Stage("publishing goes on", {one: clients.go_on() for one, clients in publishing.items()}),
            Stage(f"{leader.name} is a member again", {leader.name: (back((UNIT,)), whole)}),
            Stage("nothing is lost", {one: _nothing_lost(clients) for one, clients in publishing.items()}),
        ),
    )


def _nothing_lost(clients: Clients) -> tuple[Action, ...]:
    (queue,) = clients.names
    return (
        clients.end(),
        Check(f"{CLIENT} drain {clients.notes} {SECRETS} {queue}", DRAINED_WITHIN_S),
        Ask(f"{CLIENT} compare {clients.notes} {queue}"),
    )
