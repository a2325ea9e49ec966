"""The modules that there are, in the order in which they are installed."""

from .base.module import BaseModule
from .galera.module import GaleraModule
from .inventory.core import Inventory
from .plan.module import Module, ModuleImpossible
from .postgresql.module import PostgresqlModule
from .rabbitmq.module import RabbitmqModule
from .redis.module import RedisModule


def needed(inventory: Inventory) -> tuple[Module, ...]:
    """The modules for which the inventory has servers."""
    return tuple(module for module in MODULES if all(inventory.of(role) for role in module.roles))


MODULES: tuple[Module, ...] = (
    BaseModule(needed),
    PostgresqlModule(),
    RedisModule(),
    RabbitmqModule(),
    GaleraModule(),
)
"""Those that are here, in their order."""


def called(word: str) -> Module:
    """The module of this number or name. Raises ModuleImpossible."""
    for module in MODULES:
        if word in (str(module.number), module.name):
            return module
    there = ", ".join(f"{module.number} {module.name}" for module in MODULES)
    raise ModuleImpossible(f"there is no module {word!r}; modules are: {there}")
