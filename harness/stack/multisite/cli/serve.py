"""`multisite serve`: the daemon, until it is told to stop."""

import argparse

from ..daemon.daemon import StartError, serve
from ..daemon.log import LineLog
from ..inventory.errors import InventoryError
from .failed import CommandFailed
from .own_settings import own_settings


def run(options: argparse.Namespace) -> None:
    """Run the daemon. Raises CommandFailed."""
    try:
        serve(own_settings(options.config), LineLog())
    except (StartError, InventoryError, OSError) as error:
        raise CommandFailed(str(error)) from error
