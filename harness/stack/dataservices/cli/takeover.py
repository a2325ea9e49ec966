"""`keyservices takeover` and `returned`: a server is dead, and is back."""

import argparse
import sys
import time

from ..failover.act import NotDone, Power, TakingOver, returned
from ..installer.install import Installer, StageFailed
from ..installer.ssh import Ssh
from ..inventory.core import Inventory, Role, Server
from ..plan.core import Plan
from ..plan.module import ModuleImpossible
from ..postgresql.takeover import leads_no_more

_LED = (Role.POSTGRESQL, Role.RABBITMQ)
"""Those whose others wait for a server that is silent. To RabbitMQ nothing is told: that its connections to the dead
server end is all that it waits for. Galera and Redis give a silent server up within a second by themselves."""
_PAUSE_S = 0.3
"""Between attempts: while somebody waits for this."""


def take_over(options: argparse.Namespace, inventory: Inventory, shell: Ssh) -> None:
    """Take a dead server's power away and, once that is proven, have the stores go on without it."""
    dead, others = _who(options.node, inventory)
    told = {}
    if Role.POSTGRESQL in dead.roles:
        survivor = next(one for one in others if Role.POSTGRESQL in one.roles)
        told = {survivor.name: leads_no_more(dead)}
    installer = Installer(inventory, shell, _say, lambda _: time.sleep(_PAUSE_S))

    def carry_out(plan: Plan) -> None:
        try:
            installer.carry_out(plan)
        except StageFailed as error:
            raise NotDone(str(error)) from error

    TakingOver(dead, others, told, Power(options.power), carry_out, _say).run()
    _say(f"{dead.name} has no power, and leads no more; when it is back: keyservices returned {dead.name}")


def bring_back(options: argparse.Namespace, inventory: Inventory, shell: Ssh) -> None:
    """Undo what made the others do without it."""
    server, others = _who(options.node, inventory)
    Installer(inventory, shell, _say).carry_out(returned(server, others))


def _who(name: str, inventory: Inventory) -> tuple[Server, list[Server]]:
    servers = inventory.of(*_LED)
    for server in servers:
        if server.name == name:
            concerned = inventory.of(*(role for role in _LED if role in server.roles), Role.HAPROXY)
            return server, [one for one in concerned if one != server]
    known, roles = ", ".join(server.name for server in servers) or "nobody", " or ".join(role.value for role in _LED)
    raise ModuleImpossible(f"{name} is no server of role {roles}: {known}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
