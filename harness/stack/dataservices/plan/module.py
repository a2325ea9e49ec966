"""What every module is to the installer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from ..credentials.core import Credentials
from ..inventory.core import Inventory, Role, Server
from .core import Directory, File, Plan, Stage
from .footprint import Footprint

HOME = "/opt/keyservices"
CREDENTIALS = f"{HOME}/credentials"


@dataclass(frozen=True, slots=True)
class Failover:
    """How a module's failover is executed: whoever leads is killed, and what has to be so from then on is a plan."""

    candidates: tuple[Server, ...]
    leads: str
    """A shell command that succeeds on the one server that leads."""
    plan: Callable[[Server], Plan]


@dataclass(frozen=True, slots=True)
class Validated:
    """There is nothing that could fail over: the checks of its plan are all the proof that it can have."""


class Module(Protocol):
    """One numbered module. What it does is a plan; what it promises are checks at the end of that plan."""

    @property
    def number(self) -> int:
        """Its place among all."""

    @property
    def name(self) -> str:
        """What it is called on the command line."""

    @property
    def title(self) -> str:
        """What people are told that it is."""

    @property
    def roles(self) -> tuple[Role, ...]:
        """Somebody has to have each of them."""

    @property
    def credentials(self) -> Credentials | None:
        """The secrets that it needs."""

    @property
    def footprint(self) -> Footprint:
        """Where others reach it, what it needs of kernels, and what it leaves."""

    def plan(self, inventory: Inventory, secrets: Mapping[str, str]) -> Plan:
        """What has to be so on which server."""

    def failover(self, inventory: Inventory) -> Failover | Validated | None:
        """What has to have been survived before it is complete; None where nobody has written that yet."""


class ModuleImpossible(Exception):
    """The inventory has not what the module needs."""


def placeholders(module: Module) -> Mapping[str, str]:
    """What stands for its secrets where only the shape of its plan is asked for."""
    return dict.fromkeys(module.credentials.variables if module.credentials else (), "x" * 32)


def check_roles(module: Module, inventory: Inventory) -> None:
    """Raises ModuleImpossible unless each role is somebody's."""
    if missing := [role.value for role in module.roles if not inventory.of(role)]:
        raise ModuleImpossible(f"module {module.number} ({module.title}) needs servers of role {', '.join(missing)}")


def credentials_stage(wanted: Credentials, inventory: Inventory, text: str) -> Stage:
    """The file of secrets on everybody who needs it; the installer has it already."""
    return Stage(
        "credentials",
        {
            server.name: (
                Directory(HOME),
                Directory(CREDENTIALS, 0o700),
                File(f"{CREDENTIALS}/{wanted.file}", text, 0o600),
            )
            for server in wanted.holders(inventory)
            if server != inventory.installer
        },
    )
