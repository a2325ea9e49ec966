"""Which modules an inventory has servers for; and that each role has a module."""

import subprocess
from collections.abc import Iterator

import pytest

from harness.stack.dataservices.inventory.core import Inventory, Role, read
from harness.stack.dataservices.modules import MODULES, concerned, needed
from harness.stack.dataservices.plan.core import Ask, Check, Command, Plan
from harness.stack.dataservices.plan.module import Failover, Module, placeholders
from tests.stack.dataservices.servers import (
    APPS,
    GALERA,
    K3S,
    OBJECTS,
    POSTGRESQL,
    PROXYSQL,
    RABBITMQ,
    SMALL,
    with_programs,
)


def test_numbers_and_names_are_in_order_and_once() -> None:
    numbers = [module.number for module in MODULES]
    assert numbers == sorted({*numbers})
    assert len({module.name for module in MODULES}) == len(MODULES)


def test_servers_without_what_they_stand_on_are_not_passed_over() -> None:
    inventory = read("\n".join(line for line in SMALL.splitlines() if "haproxy" not in line))
    assert [module.name for module in concerned(inventory)] == ["base", "redis"]
    assert [module.name for module in needed(inventory)] == ["base"]


def test_every_role_has_a_module() -> None:
    known = {role for module in MODULES for role in module.roles}
    # Workers are K3s's, which can be without any.
    assert set(Role) - known == {Role.K3S_WORKER}


INVENTORIES = tuple(map(read, (APPS, GALERA, K3S, OBJECTS, POSTGRESQL, PROXYSQL, RABBITMQ, SMALL)))


def commands(module: Module, inventory: Inventory) -> Iterator[str]:
    """All that a module has shells do, its failover included: whoever leads."""
    plans: list[Plan] = [module.plan(inventory, placeholders(module))]
    if isinstance(failover := module.failover(inventory), Failover):
        yield failover.leads
        plans += [failover.plan(one) for one in failover.candidates]
    for plan in plans:
        for stage in (*plan.needs, *plan.stages):
            for does in stage.actions.values():
                for one in does:
                    if isinstance(one, Command | Check | Ask):
                        yield one.command
                    if isinstance(one, Command):
                        yield one.done_when


@pytest.mark.parametrize("module", with_programs(), ids=lambda module: str(module.name))
def test_a_shell_understands_every_command(module: Module) -> None:
    """Some of them have never run anywhere: what they stand on is in no package here."""
    every = {
        one
        for inventory in INVENTORIES
        if module.name in {has.name for has in needed(inventory)}
        for one in commands(module, inventory)
    }
    assert len(every) > 5
    whole = "\n".join(f"f{number}() {{\n{one}\n}}" for number, one in enumerate(sorted(every)))
    done = subprocess.run(["sh", "-n"], input=whole, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
