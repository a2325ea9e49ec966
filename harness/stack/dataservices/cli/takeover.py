"""`keyservices takeover` and `returned`: a server is dead, and is back; `follow-fencing`: without being called."""

import argparse
import sys
import time

from ..failover.act import NotDone, Power, TakingOver, returned
from ..failover.on_server import LED, follows_fencing, who_waits
from ..installer.install import Installer, Shell, StageFailed
from ..installer.proving import logged
from ..installer.ssh import Ssh
from ..inventory.core import Inventory, Role, Server
from ..plan.core import Plan, told
from ..plan.module import ModuleImpossible
from ..postgresql.takeover import leads_no_more

_ROLES = " or ".join(role.value for role in LED)
_PAUSE_S = 0.3
"""Between attempts: while somebody waits for this."""


def take_over(options: argparse.Namespace, inventory: Inventory, shell: Ssh) -> None:
    """Take a dead server's power away and, once that is proven, have the stores go on without it."""
    dead, others = _who(options.node, inventory)
    leads = {}
    if Role.POSTGRESQL in dead.roles:
        survivor = next(one for one in others if Role.POSTGRESQL in one.roles)
        leads = {survivor.name: leads_no_more(dead)}
    installer = Installer(inventory, shell, _say, lambda _: time.sleep(_PAUSE_S))

    def carry_out(plan: Plan) -> None:
        try:
            installer.carry_out(plan)
        except StageFailed as error:
            raise NotDone(str(error)) from error

    TakingOver(dead, others, leads, Power(options.power), carry_out, _say).run()
    _say(f"{dead.name} has no power, and leads no more; when it is back: keyservices returned {dead.name}")


def bring_back(options: argparse.Namespace, inventory: Inventory, shell: Ssh) -> None:
    """Undo what made the others do without it."""
    server, others = _who(options.node, inventory)
    Installer(inventory, shell, _say).carry_out(returned(server, others))


def follow_fencing(options: argparse.Namespace, inventory: Inventory, shell: Shell) -> None:
    """Have sfha, on every server, do what a takeover does once it has proof. Raises StageFailed, NotShownHere."""
    if not inventory.of(*LED):
        raise ModuleImpossible(f"nobody waits for a dead server where none is of role {_ROLES}")
    plan = follows_fencing(inventory, leads_no_more)
    if options.dry_run:
        sys.stdout.write("".join(f"{line}\n" for line in told(plan)))
        return
    with logged(options.home / "logs" / "follow-fencing.log") as say:
        installer = Installer(inventory, shell, say)
        installer.has_needs(plan)
        tally = installer.carry_out(plan)
        say(f"follow-fencing: {tally.changed} changed, {tally.same} were so already")


def _who(name: str, inventory: Inventory) -> tuple[Server, list[Server]]:
    servers = inventory.of(*LED)
    for server in servers:
        if server.name == name:
            return server, who_waits(server, inventory)
    known = ", ".join(server.name for server in servers) or "nobody"
    raise ModuleImpossible(f"{name} is no server of role {_ROLES}: {known}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
