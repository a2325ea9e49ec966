"""How every service behind balancers begins: who serves, who is in front, their secrets, their packages. Pure."""

from collections.abc import Mapping, Sequence

from ..credentials.core import text_of
from ..inventory.core import Inventory, Role, Server
from .core import Action, Stage
from .module import Module, ModuleImpossible, check_roles, credentials_stage


def each(servers: Sequence[Server], actions: tuple[Action, ...]) -> dict[str, tuple[Action, ...]]:
    """The same on all of them, as a stage has it."""
    return {server.name: actions for server in servers}


def servers_and_balancers(module: Module, inventory: Inventory) -> tuple[tuple[Server, ...], tuple[Server, ...]]:
    """Who serves, and who is in front of them. Raises ModuleImpossible where there is nobody, or where one is both."""
    check_roles(module, inventory)
    servers = inventory.of(*(role for role in module.roles if role is not Role.HAPROXY))
    balancers = inventory.of(Role.HAPROXY)
    if both := [one.name for one in servers if one in balancers]:
        service, *_ = module.title.split()
        raise ModuleImpossible(f"{', '.join(both)}: {service} and its balancer cannot have one address")
    return servers, balancers


def beginning(
    module: Module, inventory: Inventory, secrets: Mapping[str, str], prepared: Mapping[str, tuple[Action, ...]]
) -> tuple[Stage, ...]:
    """Secrets are where they are needed; then each server is prepared by its actions."""
    wanted = module.credentials
    if wanted is None:
        return (Stage("prepared", prepared),)
    text = text_of({name: secrets[name] for name in wanted.variables})
    return credentials_stage(wanted, inventory, text), Stage("prepared", prepared)
