"""The failover that module 5 has to have survived before it is called complete, as a plan. Pure.

Clients of both balancers publish to a queue each, and note what was confirmed. The server that leads the first of these
queues dies at once. Others lead, publishing goes on, the lost one is a member again, and all that was confirmed is
delivered.
"""

from ..inventory.core import Inventory, Role, Server
from ..plan.beginning import each
from ..plan.core import Action, Ask, Check, Command, Plan, Stage
from ..plan.dying import back, killed
from ..plan.module import Failover
from .places import ALIVE, CLIENT, SECRETS, UNIT, held_by, led_by_another, led_here, queue_of

ENOUGH = 20
LED_WITHIN_S, PUBLISHED_WITHIN_S, WHOLE_WITHIN_S, DRAINED_WITHIN_S = 60, 30, 120, 60
_NOTES, _WRITER = "/run/keyservices-failover-rabbitmq", "keyservices-failover-rabbitmq"


def failover_of(inventory: Inventory) -> Failover:
    """Who may lead, how that is told, and what is done to whoever does."""
    servers, balancers = inventory.of(Role.RABBITMQ), inventory.of(Role.HAPROXY)
    return Failover(servers, led_here(queue_of(balancers[0])), lambda leader: _plan(inventory, leader))


def _plan(inventory: Inventory, leader: Server) -> Plan:
    servers, balancers = inventory.of(Role.RABBITMQ), inventory.of(Role.HAPROXY)
    queues = tuple(queue_of(one) for one in balancers)
    others = tuple(one for one in servers if one != leader)
    whole = Check(held_by(len(servers), *queues), WHOLE_WITHIN_S)
    another = tuple(Check(led_by_another(queue, leader), LED_WITHIN_S) for queue in queues)
    return Plan(
        "rabbitmq failover",
        (
            Stage("all are members", each(servers, (whole,))),
            Stage("clients publish", {one.name: _begin(queue_of(one)) for one in balancers}),
            Stage(f"{leader.name} dies", {leader.name: (killed((UNIT,), ALIVE),)}),
            Stage("another one leads", each(others, another)),
            Stage("publishing goes on", each(balancers, _goes_on())),
            Stage(f"{leader.name} is a member again", {leader.name: (back((UNIT,)), whole)}),
            Stage("nothing is lost", {one.name: _nothing_lost(queue_of(one)) for one in balancers}),
        ),
    )


def _begin(queue: str) -> tuple[Action, ...]:
    begin = (
        f"systemctl -q stop {_WRITER}.service 2>/dev/null; rm -rf {_NOTES}; mkdir -m 700 {_NOTES}; "
        f"systemd-run -q --collect --unit {_WRITER} python3 {CLIENT} write {_NOTES} {SECRETS} {queue} && "
        f"touch {_NOTES}/begun"
    )
    return (
        # Begun anew whenever this is: what an earlier test left behind was confirmed to somebody else.
        Command(f"rm -f {_NOTES}/begun", f"! test -e {_NOTES}/begun"),
        Command(begin, f"test -e {_NOTES}/begun && systemctl -q is-active {_WRITER}.service"),
        _confirmed(),
    )


def _confirmed() -> Check:
    return Check(f"python3 {CLIENT} confirmed {_NOTES} {ENOUGH}", PUBLISHED_WITHIN_S)


def _goes_on() -> tuple[Action, ...]:
    return (Command(f"touch {_NOTES}/since", f"test -e {_NOTES}/since"), _confirmed())


def _nothing_lost(queue: str) -> tuple[Action, ...]:
    return (
        Command(f"systemctl -q stop {_WRITER}.service", f"! systemctl -q is-active {_WRITER}.service"),
        Check(f"python3 {CLIENT} drain {_NOTES} {SECRETS} {queue}", DRAINED_WITHIN_S),
        Ask(f"python3 {CLIENT} compare {_NOTES}"),
    )
