"""`sfha reload`: take up config.yml as it is now."""

import argparse
from typing import TYPE_CHECKING

from .asking import call
from .frame import add_command

if TYPE_CHECKING:
    from .frame import Subparsers


def register(subparsers: "Subparsers") -> None:
    """Add the command."""
    add_command(subparsers, "reload", _reload, data=True)


def _reload(options: argparse.Namespace) -> None:
    call("reload")
    options.output.done("reload.done")
    options.output.document({"ok": True})
