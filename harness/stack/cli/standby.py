"""`sfha standby` and `sfha unstandby`: step aside, and come back."""

import argparse
import json
from typing import TYPE_CHECKING

from ..control import DaemonUnreachable, ask
from .errors import CommandFailed

if TYPE_CHECKING:
    from .run import Subparsers


def register(subparsers: "Subparsers") -> None:
    """Add both commands."""
    for name, text in (("standby", "hold nothing from now on"), ("unstandby", "be a candidate again")):
        subparsers.add_parser(name, help=text).set_defaults(function=_switch)


def _switch(options: argparse.Namespace) -> None:
    try:
        answer = json.loads(ask(options.command))
    except DaemonUnreachable as error:
        raise CommandFailed(str(error)) from error
    if not answer.get("ok"):
        raise CommandFailed(answer.get("error", "refused"))
