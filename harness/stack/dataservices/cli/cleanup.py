"""`keyservices cleanup`: servers that are named have nothing of ours any more, but for their credentials."""

import argparse
import secrets
import sys

from ..cleanup.core import Declared, chosen, read_devices
from ..cleanup.plan import plan
from ..installer.install import Installer, Shell
from ..installer.proving import logged
from ..inventory.core import Inventory, Server
from ..modules import MODULES
from ..plan.core import Plan, told
from ..plan.module import ModuleImpossible
from .tables import text_of


class NotConfirmed(Exception):
    """Nobody said that it is meant."""


def clean_up(options: argparse.Namespace, inventory: Inventory, shell: Shell) -> None:
    """Print the plan, or have it confirmed and carry it out. Raises NotConfirmed, ModuleImpossible, StageFailed."""
    servers, todo = cleanup_of(options, inventory)
    if options.dry_run:
        sys.stdout.write("".join(f"{line}\n" for line in told(todo)))
        return
    if not options.yes:
        _confirmed(servers, todo, inventory)
    with logged(options.home / "logs" / "cleanup.log") as say:
        tally = Installer(inventory, shell, say).carry_out(todo)
        say(f"cleanup: {tally.changed} changed, {tally.same} were so already")


def cleanup_of(options: argparse.Namespace, inventory: Inventory) -> tuple[tuple[Server, ...], Plan]:
    """Who is to be cleaned, and how. Raises ModuleImpossible, DevicesWrong."""
    if options.all and options.servers:
        raise ModuleImpossible("either --all or names of servers")
    names = [one.name for one in inventory.servers if not one.protected] if options.all else options.servers
    servers = chosen(names, inventory)
    if isinstance(servers, str):
        raise ModuleImpossible(servers)
    file = options.devices or options.inventory.parent / "devices.tsv"
    devices: tuple[Declared, ...] = ()
    if options.devices or file.exists():
        devices = read_devices(text_of(file), inventory, str(file))
    footprints = [module.footprint for module in MODULES]
    # Of the installer itself only when everything goes.
    installer = (inventory.installer, str(options.home)) if options.all else None
    return servers, plan(servers, footprints, devices, call=secrets.token_hex(8), installer=installer)


def _confirmed(servers: tuple[Server, ...], todo: Plan, inventory: Inventory) -> None:
    """Whoever types the installer's name knows which of his installations he is about to remove."""
    word = inventory.installer.name
    sys.stdout.write("".join(f"{line}\n" for line in told(todo)))
    sys.stdout.write(f"\nAll that these have is gone then: {', '.join(one.name for one in servers)}\n")
    sys.stdout.write(f"Type the name of the installer ({word}) to go on: ")
    sys.stdout.flush()
    if sys.stdin.readline().strip() != word:
        raise NotConfirmed("not confirmed: nothing was done")
