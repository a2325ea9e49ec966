"""The modules that there are, in the order in which they are installed."""

from dataclasses import replace

from .apps.module import AppsModule
from .base.module import BaseModule
from .galera.module import GaleraModule
from .inventory.core import Inventory
from .k3s.module import K3sModule
from .n8n.module import N8nModule
from .objects.module import ObjectsModule, Store
from .plan.module import Module, ModuleImpossible
from .postgresql.module import PostgresqlModule
from .programs.core import MINIO
from .programs.folder import Programs
from .proxysql.module import ProxysqlModule
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
    ObjectsModule(),
    GaleraModule(),
    ProxysqlModule(),
    K3sModule(),
    AppsModule(),
    N8nModule(),
)
"""Those that are here, in their order."""


def called(word: str) -> Module:
    """The module of this number or name. Raises ModuleImpossible."""
    for module in MODULES:
        if word in (str(module.number), module.name):
            return module
    there = ", ".join(f"{module.number} {module.name}" for module in MODULES)
    raise ModuleImpossible(f"there is no module {word!r}; modules are: {there}")


def concerned(inventory: Inventory) -> tuple[Module, ...]:
    """The modules that the inventory has servers for, also where it has not all that they need."""
    return tuple(module for module in MODULES if inventory.of(module.roles[0]))


def with_programs(module: Module, programs: Programs) -> Module:
    """A module that knows the programs of it that no distribution has. Raises NotShownHere, SettingsWrong."""
    if isinstance(module, ObjectsModule):
        name = programs.store()
        return replace(module, store=Store(name, programs.minio() if name == MINIO else (programs.weed(),)))
    if isinstance(module, ProxysqlModule):
        return replace(module, package=programs.proxysql())
    return module


def keep_choice(module: Module, programs: Programs) -> None:
    """What was chosen for this module stays so from now on."""
    if isinstance(module, ObjectsModule) and module.store is not None:
        programs.keep(module.store.name)
