"""`mfs-autonomy bundle`: a file for whoever helps."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ...kit.command_line import DONE
from .daemon import CONFIG
from .errors import PARTIAL, CommandFailed
from .frame import places_of, say

if TYPE_CHECKING:
    from .frame import Commands


def register(commands: "Commands") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "bundle",
        help="write a file with what this host knows of itself, without secrets, for whoever helps",
        epilog="Look into it before you send it: names of volumes, hosts and people are in it.",
    )
    parser.add_argument("file", type=Path, metavar="FILE.tar.gz")
    parser.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help="settings (default %(default)s)")
    parser.add_argument("--hours", type=float, default=6.0, metavar="H", help="of logs (default %(default)g)")
    parser.add_argument("--log", type=Path, action="append", default=[], metavar="FILE", help="a log that is a file")
    parser.set_defaults(function=bundle)


def bundle(options: argparse.Namespace) -> int:
    """Exit code 3 where a part could not be had."""
    try:
        from ..bundle.making import BundleError, make
        from ..bundle.parts import Wanted
    except ImportError as error:
        raise CommandFailed(f"the bundle needs more ({error.name}): apt-get install python3-yaml") from error
    if not 0 < options.hours <= 24 * 7:
        raise CommandFailed("--hours must be from 0 to 168")
    file = options.file.absolute()
    try:
        made = make(file, Wanted(places_of(options), options.config, options.hours, tuple(options.log)))
    except BundleError as error:
        raise CommandFailed(str(error)) from error
    listed = made["parts"]
    assert isinstance(listed, list)
    missing = [one for one in listed if one["error"]]
    for one in missing:
        say(f"not in it: {one['name']} ({one['error']})")
    say(f"{file}: {len(listed) - len(missing)} parts, {file.stat().st_size} bytes; look into it before you send it")
    return PARTIAL if missing else DONE
