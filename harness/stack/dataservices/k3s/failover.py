"""The failover that module 9 has to have survived before it is called complete, as a plan. Pure.

The master whose controllers lead dies at once, and with it its API and its member of etcd. The others' APIs answer and
take a change, what was written through the dead one is there, the workers find another master; and it comes back.
"""

from ..inventory.core import Inventory, Role, Server
from ..plan.beginning import each
from ..plan.core import Check, Command, Plan, Stage
from ..plan.dying import back, killed
from ..plan.module import Failover
from .places import ALIVE, CONF, DATA, KUBECTL, MASTER_UNIT, names, nodes_of, up

ANSWERS_WITHIN_S, LED_WITHIN_S, WHOLE_WITHIN_S = 30, 60, 180
_HOLDER = f"{KUBECTL} -n kube-system get lease kube-controller-manager -o jsonpath='{{.spec.holderIdentity}}'"
_MARK = "keyservices.internal/failover"


def failover_of(inventory: Inventory) -> Failover:
    """Who may lead, how that is told, and what is done to whoever does."""
    own_name = f"$(sed -n 's/^node-name: //p' {CONF})"
    return Failover(
        inventory.of(Role.K3S_MASTER), f'{_HOLDER} | grep -q "^{own_name}_"', lambda leader: _plan(inventory, leader)
    )


def _plan(inventory: Inventory, leader: Server) -> Plan:
    masters, workers = inventory.of(Role.K3S_MASTER), inventory.of(Role.K3S_WORKER)
    others = tuple(one for one in masters if one != leader)
    whole = up(WHOLE_WITHIN_S, "nodes", *names(nodes_of(inventory)))
    written = _is_marked(leader)
    answers = (
        Check(f"{KUBECTL} get --raw /readyz | grep -qx ok", ANSWERS_WITHIN_S),
        Check(written, ANSWERS_WITHIN_S),
        Check(f"{KUBECTL} annotate --overwrite namespace default {_MARK}-then=yes", ANSWERS_WITHIN_S),
    )
    another = Check(f"{_HOLDER} | grep -v '^{leader.name}_' | grep -q .", LED_WITHIN_S)
    return Plan(
        "k3s failover",
        (
            Stage("all are ready", each(masters, (whole,))),
            Stage("something is written", {leader.name: (Command(_mark(leader), written),)}),
            Stage(f"{leader.name} dies", {leader.name: (killed((MASTER_UNIT,), ALIVE),)}),
            Stage("the API answers", each(others, answers)),
            Stage("another one leads", each(others, (another,))),
            # By the way that the worker itself takes, which knows of all masters.
            *((Stage("workers find another", each(workers, (_from_worker(),))),) if workers else ()),
            Stage(f"{leader.name} is back", {leader.name: (back((MASTER_UNIT,)), whole)}),
        ),
    )


def _mark(leader: Server) -> str:
    return (
        f"{KUBECTL} annotate --overwrite namespace default {_MARK}={leader.name}-$(date +%s) {_MARK}-by={leader.name}"
    )


def _is_marked(leader: Server) -> str:
    by = f"{_MARK}-by".replace(".", "\\.")
    return f"{KUBECTL} get namespace default -o jsonpath='{{.metadata.annotations.{by}}}' | grep -qx {leader.name}"


def _from_worker() -> Check:
    return Check(f"{KUBECTL} --kubeconfig {DATA}/agent/kubelet.kubeconfig get --raw /readyz", ANSWERS_WITHIN_S)
