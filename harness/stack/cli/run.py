"""`sfha run`: the daemon in the foreground."""

import argparse
from typing import TYPE_CHECKING

from .errors import CommandFailed

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def register(subparsers: "Subparsers") -> None:
    """Add the command."""
    subparsers.add_parser("run", help="run the daemon in the foreground").set_defaults(function=_run)


def _run(_options: argparse.Namespace) -> None:
    from ..config import ConfigError
    from ..runtime import StartError, run

    try:
        run()
    except (ConfigError, StartError) as error:
        raise CommandFailed(str(error)) from error
