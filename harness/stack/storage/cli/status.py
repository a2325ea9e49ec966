"""`mfs-autonomy status`: what is mapped, and which moves are unfinished."""

import argparse
import json
from typing import TYPE_CHECKING

from ...kit.command_line import DONE, FAILED
from ..mapping.drivers.choice import BY_THEMSELVES, DRIVERS, lacks
from ..mapping.mapper import BOOT_ID
from ..mapping.records import Records
from ..moves.running import unfinished
from .frame import places_of, say, show_table

if TYPE_CHECKING:
    from .frame import Commands


def register(commands: "Commands") -> None:
    """Add the command."""
    parser = commands.add_parser("status", help="show what is mapped, and moves that are unfinished")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(function=status)


def status(options: argparse.Namespace) -> int:
    """Exit code 1 where something is unfinished."""
    places, boot = places_of(options), BOOT_ID.read_text().strip()
    mapped = [
        (one.volume, one.driver if one.route == "device" else "file", "" if one.index is None else str(one.index),
         one.stage.value if one.boot == boot or one.index is None else "lost in a reboot")
        for one in Records(places.mappings).all()
    ]  # fmt: skip
    moves = [
        (one.move.id, one.move.source, one.move.target, one.move.phase.value)
        if one.move
        else (one.journal.stem, "?", "?", f"damaged: {one.damaged}")
        for one in unfinished(places)
    ]
    absent = {name: lacks(name, places) for name in DRIVERS}
    if options.json:
        say(json.dumps({"boot": boot, "mapped": mapped, "unfinished_moves": moves, "drivers": absent}, indent=2))
    else:
        for name, lacking in absent.items():
            say(f"driver {name}: {lacking or 'can be used'}{'' if name in BY_THEMSELVES else ' (only when asked for)'}")
        show_table(("VOLUME", "BY", "INDEX", ""), mapped) if mapped else say("nothing is mapped")
        if moves:
            show_table(("UNFINISHED MOVE", "FROM", "TO", "IN"), moves)
            say("go on with them: mfs-autonomy move --resume")
    return FAILED if moves or any(row[3] != "mapped" for row in mapped) else DONE
