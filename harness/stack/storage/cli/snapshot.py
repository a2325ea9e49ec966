"""`mfs-autonomy snapshot`: which snapshots there are and which are due; or one of a volume, now."""

import argparse
import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ...kit.command_line import DONE
from ..mapping.ports import PortFailed
from .errors import CommandFailed
from .frame import say, show_table
from .settings_of import CONFIG, settings_of

if TYPE_CHECKING:
    from .frame import Commands


def register(commands: "Commands") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "snapshot",
        help="show the snapshots of volumes and which are due; with VOLUME, make one now",
        epilog="Copy one back by hand, with `cp` (or mfsmakesnapshot -o), once nobody uses the volume.",
    )
    parser.add_argument("volume", nargs="?", type=Path, metavar="VOLUME", help="a file or folder")
    parser.add_argument("--config", type=Path, metavar="FILE", help=f"settings (default {CONFIG})")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(function=snapshot)


def snapshot(options: argparse.Namespace) -> int:
    """Deletes none: the daemon does, by its settings (snapshots:)."""
    from ..snapshots.taking import Snapshots

    if options.volume is not None:
        volume = options.volume.absolute()
        try:
            made = Snapshots(volume.parent).make(volume.name)
        except PortFailed as error:
            raise CommandFailed(str(error)) from error
        say(str(Snapshots(volume.parent).into / made.name))
        return DONE
    wanted = settings_of(options.config).snapshots
    if wanted is None:
        raise CommandFailed("the settings have no `snapshots:`; mfs-autonomy config-example shows one")
    rows: list[tuple[str, ...]] = []
    documents: list[dict[str, object]] = []
    for folder in wanted.folders:
        due, taken = Snapshots(folder).due(wanted.policy), Snapshots(folder).taken()
        rows += [
            (str(folder / one.volume), _time(one.at_s), one.kind, "too many" if one in due.drop else "")
            for one in taken
        ]
        rows += [(str(folder / volume), "", "", "due") for volume in due.make]
        documents.append({"folder": str(folder), "taken": [asdict(one) for one in taken], "due": asdict(due)})
        if due.waits and not options.json:
            say(f"none is made in {folder} now: {due.waits}")
    if options.json:
        say(json.dumps(documents, indent=2))
    elif rows:
        show_table(("VOLUME", "AT", "KIND", ""), rows)
    return DONE


def _time(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="seconds")
