"""`mfs-autonomy map` and `unmap`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ...kit.command_line import DONE
from ..mapping.core.work import Phase, Work
from ..mapping.mapper import Mapper, volume_of
from ..mapping.records import Records
from ..mapping.routes import FILE, Routes, chosen
from ..places import Places
from .errors import CommandFailed
from .frame import BY_THEMSELVES, DRIVERS, driver_named, lacks, places_of, say

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
    parser.set_defaults(function=map_volume)
    parser = commands.add_parser("unmap", help="make a file of it again")
    parser.add_argument("file", type=Path, metavar="FILE", help="the volume")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done")
    parser.set_defaults(function=unmap_volume)


def map_volume(options: argparse.Namespace) -> int:
    """Prints the device, or the file where that is the way."""
    places, file = places_of(options), _there(options.file)
    volume = volume_of(file)
    routes, record = Routes(places.routes), Records(places.mappings).read(volume)
    remembered = record.driver if record else routes.remembered(volume)
    absent = {name: lacks(name, places, file) for name in DRIVERS}
    name = chosen(options.driver, remembered, absent, BY_THEMSELVES)
    if record is not None and name != record.driver:
        raise CommandFailed(f"{volume} is reached by {record.driver}: unmap it before it is reached by {name}")
    if options.dry_run:
        say(f"{volume} would be reached by {name}{_why_file(name, remembered, options.driver, absent)}")
        return DONE
    work = _map(places, file, name)
    routes.remember(volume, name)
    if name == FILE:
        say(f"{volume} is used as a file{_why_file(name, remembered, options.driver, absent)}")
        return DONE
    mapper = Mapper(driver_named(name, places, file), places)
    known = "was mapped already" if work.reused else "mapped and proven"
    label = ", userspace" if name == "userspace" else ""
    say(f"{mapper.link(file)} -> {driver_named(name, places, file).device(work.index or 0)} ({known}{label})")
    return DONE


def _map(places: Places, file: Path, name: str) -> Work:
    driver = driver_named("nbd-client" if name == FILE else name, places, file)
    work = Mapper(driver, places).map(file, "file" if name == FILE else "device")
    if work.phase is not Phase.DONE:
        raise CommandFailed(f"{file} is not mapped: {work.why}")
    return work


def _why_file(name: str, remembered: str | None, asked: str | None, absent: dict[str, str | None]) -> str:
    if name != FILE or remembered or asked:
        return ""
    reasons = "; ".join(f"{driver}: {absent[driver]}" for driver in BY_THEMSELVES)
    return f", for there is no NBD here ({reasons}); without the kernel's there is --driver userspace"


def unmap_volume(options: argparse.Namespace) -> int:
    """By the driver that mapped it."""
    places, file = places_of(options), options.file.absolute()
    record = Records(places.mappings).read(volume_of(file))
    if record is None:
        say(f"{file} is not mapped")
        return DONE
    name = record.driver if record.route == "device" else "nbd-client"
    if options.dry_run:
        say(f"{record.volume} would be let go: {record.route}, {record.driver}, index {record.index}")
        return DONE
    if record.route == "device" and (lacking := lacks(name, places, Path(record.file))):
        raise CommandFailed(f"{record.volume} was mapped by {name}, which cannot be used: {lacking}")
    work = Mapper(driver_named(name, places, Path(record.file)), places).unmap(file)
    if work.phase is not Phase.DONE:
        raise CommandFailed(f"{file} stays mapped: {work.why}")
    say(f"{record.volume} is a file again" if record.route == "device" else f"{record.volume} is let go")
    return DONE


def _there(file: Path) -> Path:
    if not file.exists():
        raise CommandFailed(f"{file}: there is no such file")
    return file.absolute()
