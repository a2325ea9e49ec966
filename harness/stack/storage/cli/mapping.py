"""`mfs-autonomy map` and `unmap`."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ...kit.command_line import DONE
from ..mapping.drivers.choice import DRIVERS
from ..mapping.mapper import volume_of
from ..mapping.records import Records
from ..mapping.routes import FILE
from ..mapping.volumes import Way, map_volume, unmap_volume, way_to
from ..peers.view import advice
from .frame import places_of, say

if TYPE_CHECKING:
    from .frame import Commands


def register(commands: "Commands") -> None:
    """Add the commands."""
    parser = commands.add_parser(
        "map",
        help="make a block device of a volume",
        epilog="The way to a volume is chosen once and remembered; only --driver changes it, while it is unmapped.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the volume")
    parser.add_argument("--driver", choices=(*DRIVERS, FILE), help="how it is reached; 'file': as the file it is")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done")
    parser.set_defaults(function=map_)
    parser = commands.add_parser("unmap", help="make a file of it again")
    parser.add_argument("file", type=Path, metavar="FILE", help="the volume")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done")
    parser.set_defaults(function=unmap)


def map_(options: argparse.Namespace) -> int:
    """Prints the device, or the file where that is the way."""
    places, file = places_of(options), options.file.absolute()
    way = way_to(places, file, options.driver)
    if options.dry_run:
        say(f"{way.volume} would be reached by {way.name}{_why_file(way)}")
        return DONE
    said = advice(places, way.volume)
    if said.verdict == "warned":
        sys.stderr.write("".join(f"warning: {one}\n" for one in said.reasons))
    work, reached = map_volume(places, file, way)
    if way.name == FILE:
        say(f"{way.volume} is used as a file{_why_file(way)}")
        return DONE
    known = "was mapped already" if work.reused else "mapped and proven"
    say(f"{reached} ({known}{', userspace' if way.name == 'userspace' else ''})")
    return DONE


def _why_file(way: Way) -> str:
    if not way.why_file:
        return ""
    return f", for there is no NBD here ({way.why_file}); without the kernel's there is --driver userspace"


def unmap(options: argparse.Namespace) -> int:
    """By the driver that mapped it."""
    places, file = places_of(options), options.file.absolute()
    if options.dry_run:
        record = Records(places.mappings).read(volume_of(file))
        said = "is not mapped" if record is None else f"would be let go: {record.route}, {record.driver}"
        say(f"{file} {said}{'' if record is None else f', index {record.index}'}")
        return DONE
    record = unmap_volume(places, file)
    if record is None:
        say(f"{file} is not mapped")
    else:
        say(f"{record.volume} is a file again" if record.route == "device" else f"{record.volume} is let go")
    return DONE
