"""`multisite token`: tokens, for whoever may write the database."""

import argparse
from datetime import UTC, datetime

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
        database = open_database(own_settings(options.config).database)
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
