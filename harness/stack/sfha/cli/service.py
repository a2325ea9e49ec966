"""`sfha service list|add|remove`."""

import argparse
from typing import TYPE_CHECKING

from ...kit.messages import message
from ...kit.speech import text
from .asking import call
from .change import change
from .errors import USAGE, CommandFailed
from .frame import add_command, add_group
from .resources import service_rows

if TYPE_CHECKING:
    from .frame import Subparsers


def register(subparsers: "Subparsers") -> None:
    """Add the group."""
    group = add_group(subparsers, "service")
    add_command(group, "service list", _list, data=True)
    add = add_command(group, "service add", _add, data=True)
    add.add_argument("name", metavar="NAME")
    add.add_argument("--unit", metavar="UNIT", help=text("help.service.unit"))
    add.add_argument("--command", dest="program", metavar="COMMAND", help=text("help.service.command"))
    add.add_argument("--critical", action="store_true", help=text("help.service.critical"))
    add.add_argument("--exclusive", action="store_true", help=text("help.service.exclusive"))
    add.add_argument("--check", metavar="TYPE=TARGET", help=text("help.service.check"))
    remove = add_command(group, "service remove", _remove, data=True)
    remove.add_argument("name", metavar="NAME")


def _list(options: argparse.Namespace) -> None:
    services = call("status")["services"]
    options.output.document(services)
    if not services:
        options.output.say("services.nothing")
    options.output.table(service_rows(services))


def _add(options: argparse.Namespace) -> int:
    if (options.unit is None) == (options.program is None):
        raise CommandFailed(message("services.one-of"), code=USAGE)
    item: dict[str, object] = {"name": options.name}
    if options.unit is not None:
        item |= {"type": "systemd", "unit": options.unit}
    else:
        item |= {"type": "process", "command": options.program}
    item |= {key: True for key in ("critical", "exclusive") if getattr(options, key)}
    if options.check is not None:
        kind, _, target = options.check.partition("=")
        item["healthcheck"] = {"type": kind, "target": target}
    return change(options, "service", "add", options.name, item)


def _remove(options: argparse.Namespace) -> int:
    return change(options, "service", "remove", options.name)
