"""The clients of a plan: objects by the names of their models, in the first store on the nodes that has them."""

from harness.checks.expected import Expected
from harness.cluster import Cluster
from harness.errors import UsageError
from harness.expectations import (
    bank_balances,
    linearizable_list,
    linearizable_queue,
    linearizable_register,
    linearizable_set,
    nothing_lost,
)
from harness.ledger import ledger_load
from harness.plans.plan import LoadOf, Plan, Workload
from harness.traffic import Traffic
from harness.workloads.generators import BANK_TOTAL
from harness.workloads.load import Load, Route

TIMEOUT_S = 0.5
_KEY = "plan-{}"


def traffic_for(cluster: Cluster, plan: Plan) -> Traffic | None:
    """Clients of all loads, through the first virtual address; None for a plan without.

    Raises UsageError where the topology has no address, or no subject has such objects.
    """
    if not plan.loads:
        return None
    if not cluster.topology.vips:
        raise UsageError(f"the plan has loads, and the topology {cluster.topology.name} no virtual address")
    address = cluster.plan.vip(cluster.topology.vips[0].name)
    return Traffic(cluster, tuple(_load(cluster, one, address) for one in plan.loads))


def expected_of_loads(plan: Plan) -> tuple[Expected, ...]:
    """What is promised to each kind of client."""
    return tuple(_EXPECTED[one.workload] for one in plan.loads)


def _load(cluster: Cluster, wanted: LoadOf, address: str) -> Load:
    for subject in cluster.design.subjects:
        if wanted.workload in subject.models:
            break
    else:
        running = ", ".join(one.name for one in cluster.design.subjects)
        raise UsageError(f"the plan wants a {wanted.workload}, and nothing on the nodes has one ({running})")
    if wanted.workload == "ledger":
        return ledger_load(address, subject.name, subject.service_port, wanted.rate_per_s)
    return Load(
        model=wanted.workload,
        key=_KEY.format(wanted.workload),
        store=subject.name,
        routes=(Route(address=address, port=subject.service_port),),
        rate_per_s=wanted.rate_per_s,
        timeout_s=TIMEOUT_S,
        seed=cluster.design.seed,
    )


_EXPECTED: dict[Workload, Expected] = {
    "ledger": nothing_lost(),
    "register": linearizable_register(_KEY.format("register")),
    "set": linearizable_set(_KEY.format("set")),
    "list": linearizable_list(_KEY.format("list")),
    "queue": linearizable_queue(_KEY.format("queue")),
    "bank": bank_balances(BANK_TOTAL, _KEY.format("bank")),
}
