"""`multisite token`: tokens, for whoever may write the database."""

import argparse
from datetime import UTC, datetime

from ..copies.copies import Copies
from ..daemon.log import LineLog
from ..inventory import tokens
from ..inventory.database import open_database
from ..inventory.errors import InventoryError
from .failed import CommandFailed
from .output import say
from .own_settings import own_settings


def run(options: argparse.Namespace) -> None:
    """Make, list or take back. Raises CommandFailed."""
    if options.what != "list" and not options.name:
        raise CommandFailed(f"token {options.what}: whose? Give a name")
    try:
        settings = own_settings(options.config)
        database = open_database(settings.database)
        if settings.copies is not None:
            database.before_commit = Copies(settings.copies, database, lambda: None, LineLog()).carry
        with database.reading() if options.what == "list" else database.changing() as session:
            if options.what == "create":
                made = tokens.create(session, options.name, tokens.Role[options.role], datetime.now(UTC))[1]
            elif options.what == "remove":
                tokens.remove(session, options.name)
            else:
                for one in tokens.every(session):
                    say(f"{one.name}\t{one.role}\t{one.created_at:%Y-%m-%d %H:%M}")
        database.close()
        if options.what == "create":
            say(made)
    except InventoryError as error:
        raise CommandFailed(str(error)) from error
