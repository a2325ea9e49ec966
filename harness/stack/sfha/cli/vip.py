"""`sfha vip list|add|remove`."""

import argparse
from typing import TYPE_CHECKING

from ...kit.messages import message
from ...kit.speech import text
from .asking import call
from .change import change
from .errors import USAGE, CommandFailed
from .frame import add_command, add_group

if TYPE_CHECKING:
    from .frame import Subparsers


def register(subparsers: "Subparsers") -> None:
    """Add the group."""
    group = add_group(subparsers, "vip")
    add_command(group, "vip list", _list, data=True)
    add = add_command(group, "vip add", _add, data=True)
    add.add_argument("name", metavar="NAME")
    add.add_argument("ip", metavar="ADDRESS/PREFIX")
    add.add_argument("--interface", default="eth0", metavar="IF", help=text("help.vip.interface"))
    settings = add_command(group, "vip set", _set, data=True)
    settings.add_argument("name", metavar="NAME")
    settings.add_argument("settings", nargs="+", metavar="SETTING=VALUE")
    remove = add_command(group, "vip remove", _remove, data=True)
    remove.add_argument("name", metavar="NAME")


def _list(options: argparse.Namespace) -> None:
    status = call("status")
    options.output.document(status["vips"])
    if not status["vips"]:
        options.output.say("vips.nothing")
    rows = [[vip["name"], vip["address"], vip["interface"], _where(status, vip)] for vip in status["vips"]]
    options.output.table(rows)


def _where(status: dict[str, object], vip: dict[str, object]) -> str:
    if vip["error"]:
        return str(vip["error"])
    return str(status["node"] if vip["held"] else status["leader_name"] or "-")


def _add(options: argparse.Namespace) -> int:
    item = {"name": options.name, "ip": options.ip, "interface": options.interface}
    return change(options, "vip", "add", options.name, item)


def _set(options: argparse.Namespace) -> int:
    item: dict[str, object] = {}
    for given in options.settings:
        name, joint, value = given.partition("=")
        if not joint:
            raise CommandFailed(message("vips.setting", given=given), code=USAGE)
        item[name] = int(value) if value.isascii() and value.isdigit() else value
    return change(options, "vip", "set", options.name, item)


def _remove(options: argparse.Namespace) -> int:
    return change(options, "vip", "remove", options.name)
