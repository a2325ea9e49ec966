"""How every service behind balancers begins."""

from collections.abc import Iterable, Iterator

import pytest

from harness.stack.dataservices.inventory.core import Role, read
from harness.stack.dataservices.modules import MODULES
from harness.stack.dataservices.plan.beginning import servers_and_balancers
from harness.stack.dataservices.plan.core import Action, Directory, File, Packages, Plan
from harness.stack.dataservices.plan.module import Failover, Module, ModuleImpossible, placeholders
from tests.stack.dataservices.servers import APPS, K3S, OBJECTS, PROXYSQL, SMALL, with_programs

FROM_PACKAGES = {
    "/etc/haproxy",
    "/etc/redis",
    "/var/lib/redis",
    "/etc/rabbitmq",
    "/var/lib/rabbitmq",
    "/etc/pgbouncer",
    "/etc/mysql/mariadb.conf.d",
    "/usr/local/bin",
}
BEHIND_BALANCERS = [module for module in MODULES if Role.HAPROXY in module.roles and len(module.roles) == 2]
"""Those that are a service of their own, and need no other one."""


def table_of(module: Module) -> str:
    """The small inventory, for the service of this module."""
    (role,) = (role for role in module.roles if role is not Role.HAPROXY)
    return SMALL.replace("\tredis\t", f"\t{role.value}\t")


@pytest.mark.parametrize("module", BEHIND_BALANCERS, ids=lambda module: str(module.name))
def test_secrets_come_first_and_packages_before_anything_that_runs(module: Module) -> None:
    assert module.credentials is not None
    plan = module.plan(read(table_of(module)), placeholders(module))
    assert [stage.name for stage in plan.stages[:2]] == ["credentials", "prepared"]
    holders = {one.name for one in module.credentials.holders(read(table_of(module)))}
    assert set(plan.stages[0].actions) == holders - {"install-01"}
    assert set(plan.stages[1].actions) == {"redis-01", "redis-02", "redis-03", "lb-01", "lb-02"}


@pytest.mark.promise("S4-09", "S4-72")
@pytest.mark.parametrize(
    ("module", "table"),
    [
        *((module, table_of(module)) for module in BEHIND_BALANCERS),
        *(
            (module, {"objects": OBJECTS, "proxysql": PROXYSQL}.get(module.name, K3S))
            for module in with_programs()
            if module not in BEHIND_BALANCERS and module.credentials is not None
        ),
        *((module, APPS) for module in MODULES if module.roles[0] is Role.APPS),
    ],
)
def test_a_file_is_written_where_the_plan_has_made_a_folder_before(module: Module, table: str) -> None:
    """In plans of failovers as well. Folders that Debian's packages bring may be relied on once these are there."""
    assert module.credentials is not None
    inventory = read(table)
    plans = [module.plan(inventory, placeholders(module))]
    if isinstance(failover := module.failover(inventory), Failover):
        plans.append(failover.plan(failover.candidates[0]))
    made: dict[str, set[str]] = {}
    written = 0
    for server, action in _in_order(plans):
        there = made.setdefault(server, {"/etc", "/etc/systemd/system"})
        match action:
            case Directory(path):
                there.add(path)
            case Packages():
                there |= FROM_PACKAGES
            case File(path):
                assert path.rpartition("/")[0] in there, f"{server}: {path}"
                written += 1
    assert written > 10


def _in_order(plans: Iterable[Plan]) -> Iterator[tuple[str, Action]]:
    for plan in plans:
        for stage in plan.stages:
            for server, actions in stage.actions.items():
                yield from ((server, action) for action in actions)


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
