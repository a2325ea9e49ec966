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
    from ..config.load import ConfigError
    from ..daemon.process import run
    from ..daemon.start import StartError

    try:
        run()
    except (ConfigError, StartError) as error:
        _note(str(error.why))
        raise CommandFailed(error.why) from error


def _note(why: str) -> None:
    """Have the reason in the log as well: whoever asks later does not see this terminal."""
    import socket
    from contextlib import suppress

    from ..logs.event_log import LOG_PATH, EventLog

    if not LOG_PATH.exists():  # no daemon has run here
        return
    with suppress(OSError):  # where it cannot be written, the terminal has it
        EventLog(socket.gethostname().partition(".")[0])("start-failed", why=why)
