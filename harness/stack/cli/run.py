"""`sfha run`: the daemon in the foreground."""

import argparse
from typing import TYPE_CHECKING

from .errors import CommandFailed
from .frame import add_command

if TYPE_CHECKING:
    from .frame import Subparsers


def register(subparsers: "Subparsers") -> None:
    """Add the command."""
    add_command(subparsers, "run", _run)


def _run(_options: argparse.Namespace) -> None:
    from ..config import ConfigError
    from ..runtime import run
    from ..starting import StartError

    try:
        run()
    except ConfigError as error:
        raise CommandFailed(error.why) from error
    except StartError as error:
        raise CommandFailed(error.why) from error
