"""`mfs-autonomy migration`: say that a volume goes from one host to another, and see what came of it."""

import argparse
import json
import socket
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ...kit.command_line import DONE, USAGE
from ..mapping.mapper import volume_of
from ..peers.migrations import FOR_S, Declared, Migrations
from ..peers.view import identity, read
from ..places import Places
from .errors import CommandFailed
from .frame import places_of, say, show_table

if TYPE_CHECKING:
    from .frame import Commands


def register(commands: "Commands") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "migration",
        help="declare that a volume goes from one host to another, or list what was declared",
        epilog="So long as it lasts, both hosts may have the volume mapped; without it, the second is refused.",
    )
    parser.add_argument("what", choices=("declare", "list"))
    parser.add_argument("file", nargs="*", type=Path, metavar="FILE", help="the volumes")
    parser.add_argument("--to", metavar="HOST", help="default: this host")
    parser.add_argument("--from", dest="source", metavar="HOST", help="default: this host")
    parser.add_argument("--vm", default="", help="the guest whose volumes they are")
    parser.add_argument("--for", dest="for_s", type=float, default=FOR_S, metavar="S", help="default: %(default)g")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(function=migration)


def migration(options: argparse.Namespace) -> int:
    """Durable once it returns."""
    places = places_of(options)
    if options.what == "list":
        return _list(places, options.json)
    if not options.file:
        raise CommandFailed("migration declare: which volumes? Give their files", USAGE)
    if not 0 < options.for_s <= 86400:
        raise CommandFailed("--for must be from 0 to 86400 seconds", USAGE)
    source, target = options.source or own_name(places), options.to or own_name(places)
    if source == target:
        raise CommandFailed(f"from {source} to {target} is no way: --to or --from another host", USAGE)
    for file in options.file:
        one = declare(places, file.absolute(), vm=options.vm, source=source, target=target, for_s=options.for_s)
        say(f"{one.volume}: from {source} to {target}, for {options.for_s:g} s ({one.id})")
    return DONE


def own_name(places: Places) -> str:
    """As peers call this host."""
    view = read(places)
    return view.name if view is not None else socket.gethostname()


def declare(places: Places, file: Path, *, vm: str, source: str, target: str, for_s: float = FOR_S) -> Declared:
    """Raises CommandFailed where no other host can reach the volume, OSError."""
    view, volume = read(places), volume_of(file)
    known_as = identity(volume, view.shared if view else ())
    if not known_as:
        raise CommandFailed(f"{volume} is on a disk of this host: no other can have it (cluster.shared names folders)")
    return Migrations(places.migrations).declare(volume, known_as, vm=vm, source=source, target=target, for_s=for_s)


def _list(places: Places, as_json: bool) -> int:
    found = Migrations(places.migrations).every()
    if as_json:
        say(json.dumps([asdict(one) for one in found], indent=2))
        return DONE
    rows = [(one.id, one.vm, one.volume, one.source, one.target, _state(one), one.said) for one in found]
    show_table(("MIGRATION", "VM", "VOLUME", "FROM", "TO", "", ""), rows) if rows else say("none was declared")
    return DONE


def _state(one: Declared) -> str:
    over = one.state == "declared" and one.until_s < time.time()
    return "never completed" if over else one.state
