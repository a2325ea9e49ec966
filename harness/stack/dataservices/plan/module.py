"""What every module is to the installer."""

from collections.abc import Mapping
from typing import Protocol

from ..credentials.core import Credentials
from ..inventory.core import Inventory, Role
from .core import Directory, File, Plan, Stage

HOME = "/opt/keyservices"
CREDENTIALS = f"{HOME}/credentials"


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

    def plan(self, inventory: Inventory, secrets: Mapping[str, str]) -> Plan:
        """What has to be so on which server."""


class ModuleImpossible(Exception):
    """The inventory has not what the module needs."""


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
