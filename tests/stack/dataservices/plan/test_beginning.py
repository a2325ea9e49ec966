"""How every service behind balancers begins."""

import pytest

from harness.stack.dataservices.inventory.core import Role, read
from harness.stack.dataservices.modules import MODULES
from harness.stack.dataservices.plan.beginning import servers_and_balancers
from harness.stack.dataservices.plan.module import Module, ModuleImpossible
from tests.stack.dataservices.servers import SMALL

BEHIND_BALANCERS = [module for module in MODULES if Role.HAPROXY in module.roles]


def table_of(module: Module) -> str:
    """The small inventory, for the service of this module."""
    (role,) = (role for role in module.roles if role is not Role.HAPROXY)
    return SMALL.replace("\tredis\t", f"\t{role.value}\t")


@pytest.mark.parametrize("module", BEHIND_BALANCERS, ids=lambda module: str(module.name))
def test_secrets_come_first_and_packages_before_anything_that_runs(module: Module) -> None:
    assert module.credentials is not None
    plan = module.plan(read(table_of(module)), dict.fromkeys(module.credentials.variables, "x" * 32))
    assert [stage.name for stage in plan.stages[:2]] == ["credentials", "prepared"]
    holders = {one.name for one in module.credentials.holders(read(table_of(module)))}
    assert set(plan.stages[0].actions) == holders - {"install-01"}
    assert set(plan.stages[1].actions) == {"redis-01", "redis-02", "redis-03", "lb-01", "lb-02"}


@pytest.mark.parametrize("module", BEHIND_BALANCERS, ids=lambda module: str(module.name))
def test_nobody_is_a_server_and_its_balancer(module: Module) -> None:
    role = next(role for role in module.roles if role is not Role.HAPROXY)
    table = table_of(module).replace(f"redis-03\t{role.value}\t", f"redis-03\t{role.value},haproxy\t")
    with pytest.raises(ModuleImpossible, match=r"redis-03: .* and its balancer cannot have one address"):
        servers_and_balancers(module, read(table))


def test_who_serves_and_who_is_in_front() -> None:
    module = next(module for module in BEHIND_BALANCERS if module.name == "redis")
    servers, balancers = servers_and_balancers(module, read(SMALL))
    assert [one.name for one in servers] == ["redis-01", "redis-02", "redis-03"]
    assert [one.name for one in balancers] == ["lb-01", "lb-02"]
