"""The failover that module 11 has to have survived before it is called complete, as a plan. Pure.

The node that the main process runs on dies. The others' workers and webhooks go on; the main process is started on
another node, and answers through both balancers, which says that it reaches its database. The lost node comes back.
"""

from ..inventory.core import Inventory, Role, Server
from ..k3s.dying import node_back, node_dies
from ..k3s.places import names, up
from ..plan.beginning import each
from ..plan.core import Plan, Stage
from ..plan.module import Failover
from .places import MAIN_PORT, NAMESPACE, WEBHOOK_PORT, WORKER_PORT
from .serving import main_answers, others_answer

ELSEWHERE_WITHIN_S, WHOLE_WITHIN_S = 180, 300


def failover_of(inventory: Inventory) -> Failover:
    """Whoever has the main process, which is one; and what has to be so once that node is gone."""
    here = f"ss -Htln 'sport = :{MAIN_PORT}' | grep -q ."
    return Failover(inventory.of(Role.N8N), here, lambda lost: _plan(inventory, lost))


def _plan(inventory: Inventory, lost: Server) -> Plan:
    servers, balancers = inventory.of(Role.N8N), inventory.of(Role.HAPROXY)
    left = tuple(one for one in servers if one != lost)
    masters = inventory.of(Role.K3S_MASTER)
    whole = tuple(
        up(WHOLE_WITHIN_S, "daemonset", f"{NAMESPACE}/{one}", *names(servers)) for one in ("worker", "webhook")
    )
    answers = main_answers(inventory, ELSEWHERE_WITHIN_S)
    return Plan(
        "n8n failover",
        (
            Stage("all of it runs", {**each(masters, whole), **each(balancers, (answers,))}),
            Stage(f"{lost.name} dies", {lost.name: node_dies(lost, (MAIN_PORT, WEBHOOK_PORT, WORKER_PORT))}),
            Stage("workers and webhooks go on", each(left, others_answer(ELSEWHERE_WITHIN_S))),
            Stage("the main process is elsewhere", each(balancers, (answers,))),
            Stage(f"{lost.name} is back", {lost.name: (node_back(lost),)}),
            Stage("all of it runs again", each(masters, whole)),
        ),
    )
