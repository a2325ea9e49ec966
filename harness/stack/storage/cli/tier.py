"""`mfs-autonomy tier`: which storage class each volume is to have, and why; nothing is done."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ...kit.command_line import DONE
from ..mapping.ports import PortFailed
from .errors import CommandFailed
from .frame import say, show_table
from .settings_of import CONFIG, settings_of

if TYPE_CHECKING:
    from ..tiering.looking import Look
    from .frame import Commands


def register(commands: "Commands") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "tier",
        help="show which storage class of MooseFS each volume is to have, and why; the daemon does it (tiering:)",
        epilog="How much devices move is known to the daemon alone (/v1/tiering): here the times of files count, and "
        "neither what it did lately nor what is left of its budget.",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help=f"settings (default {CONFIG})")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(function=tier)


def tier(options: argparse.Namespace) -> int:
    """A look, and nothing but that."""
    from ..tiering.looking import look
    from ..tiering.use import Rates

    wanted = settings_of(options.config).tiering
    if wanted is None:
        raise CommandFailed("the settings have no `tiering:`; mfs-autonomy config-example shows one")
    try:
        found = look(wanted, Rates(), {}, {})
    except PortFailed as error:
        raise CommandFailed(str(error)) from error
    if options.json:
        say(json.dumps(asdict(found), indent=2))
    else:
        _show(found)
    return DONE


def _show(found: "Look") -> None:
    rows = [(one.path, one.before, one.after, one.why) for one in found.plan.changes]
    rows += [(one.path, one.storage_class or "several", "", one.why) for one in found.plan.kept]
    show_table(("VOLUME", "CLASS", "TO BE", "WHY"), sorted(rows)) if rows else say("there are no volumes")
    if found.plan.waits:
        say(f"nothing is changed now: {found.plan.waits}")
