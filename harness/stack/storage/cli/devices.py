"""`mfs-autonomy devices`: the pool, and what is wrong in it."""

import argparse
import json
from typing import TYPE_CHECKING

from ...kit.command_line import DONE, FAILED
from ..mapping.drivers.choice import BY_THEMSELVES, DRIVERS, driver_named, lacks
from ..mapping.mapper import Mapper
from ..pool.core import TROUBLE, IndexView, Ownership, unquiet
from .errors import CommandFailed
from .frame import places_of, say, show_table

if TYPE_CHECKING:
    from .frame import Commands

REMEDIES = {
    Ownership.LEAKED: "nobody here mapped it: detach it by hand if no other program needs it",
    Ownership.ABANDONED: "whoever began died: mfs-autonomy unmap {volume}",
    Ownership.LOST: "nothing serves it any more: mfs-autonomy unmap {volume}",
}


def register(commands: "Commands") -> None:
    """Add the command."""
    parser = commands.add_parser("devices", help="show the pool of devices, and what leaks")
    parser.add_argument("--driver", choices=DRIVERS, help="whose pool (default: the first that can be used)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(function=devices)


def devices(options: argparse.Namespace) -> int:
    """Exit code 1 where something is in trouble."""
    places = places_of(options)
    absent = {name: lacks(name, places) for name in ([options.driver] if options.driver else BY_THEMSELVES)}
    name = next((name for name, lacking in absent.items() if lacking is None), None)
    if name is None:
        why = "; ".join(f"{name}: {lacking}" for name, lacking in absent.items())
        userspace = "" if options.driver else " (without the kernel's NBD there is --driver userspace)"
        raise CommandFailed(f"there is no pool of devices here: {why}{userspace}")
    driver = driver_named(name, places)
    views = Mapper(driver, places).views()
    if options.json:
        say(json.dumps([_document(view) for view in views], indent=2))
    else:
        rows = [(str(driver.device(view.index)), view.ownership.value, _volume(view), _detail(view)) for view in views]
        show_table(("DEVICE", "STATE", "VOLUME", ""), rows)
    return FAILED if any(view.ownership in TROUBLE for view in views) else DONE


def _volume(view: IndexView) -> str:
    return view.volume or (view.facts.serves or "" if view.facts.attached else "")


def _detail(view: IndexView) -> str:
    if view.ownership in REMEDIES:
        return REMEDIES[view.ownership].format(volume=view.volume)
    return ", ".join(unquiet(view.facts)) if view.ownership is Ownership.SETTLING else ""


def _document(view: IndexView) -> dict[str, object]:
    facts = view.facts
    known = {"size_bytes": facts.size_bytes, "server_pid": facts.server_pid, "holders": list(facts.holders)}
    return {"index": view.index, "state": view.ownership.value, "volume": _volume(view), "what": _detail(view), **known}
