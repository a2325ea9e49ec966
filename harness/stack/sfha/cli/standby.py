"""`sfha standby` and `sfha unstandby`: step aside, and come back."""

import argparse
from typing import TYPE_CHECKING

from .asking import call
from .frame import add_command

if TYPE_CHECKING:
    from .frame import Subparsers


def register(subparsers: "Subparsers") -> None:
    """Add both commands."""
    for name in ("standby", "unstandby"):
        add_command(subparsers, name, _switch, data=True)


def _switch(options: argparse.Namespace) -> None:
    call(options.command)
    options.output.done(f"{options.command}.done")
    options.output.document({"ok": True, "standby": options.command == "standby"})
