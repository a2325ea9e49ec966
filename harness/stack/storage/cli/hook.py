"""`mfs-autonomy hook`: what a hypervisor calls when a guest starts here, or came from another host."""

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ...kit.command_line import DONE, FAILED, USAGE
from ..autonomy.core import Level
from ..hook.looking import PIDS, pid_of
from ..hook.performing import WITHIN_S, Ended, Guest, declare, ready, until_ended
from ..peers.migrations import FOR_S
from ..places import Places
from .daemon import CONFIG
from .errors import PARTIAL, CommandFailed
from .frame import places_of, say
from .migration import own_name

if TYPE_CHECKING:
    from .frame import Commands

FROM = "PVE_MIGRATED_FROM"
"""Proxmox names the source in it, where a guest starts to take over a running one."""
CODES = {"not concerned": DONE, "well": DONE, "wait": PARTIAL, "left over": PARTIAL, "failed": FAILED}


def register(commands: "Commands") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "hook",
        help="after a live migration: is the volume a device here, and nowhere else; as a hookscript of Proxmox",
        epilog="hook post-migrate VM SOURCE TARGET, or hook proxmox VM PHASE (pre-start, post-start, pre-stop, "
        "post-stop), as a hookscript of Proxmox is called.",
    )
    parser.add_argument("what", choices=("post-migrate", "proxmox"))
    parser.add_argument("vm", metavar="VM", help="the guest's number")
    parser.add_argument("more", nargs="+", metavar="ARGUMENT")
    parser.add_argument("--volume", type=Path, action="append", default=[], metavar="FILE", help="its volumes")
    parser.add_argument("--pids", type=Path, default=PIDS, metavar="FOLDER", help="where VM.pid is (%(default)s)")
    within = f"so long the source may still have the volumes (default {WITHIN_S:g})"
    parser.add_argument("--within", type=float, default=WITHIN_S, metavar="S", help=within)
    parser.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help="the daemon's settings")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(function=hook)


def hook(options: argparse.Namespace) -> int:
    """Exit codes: 0 well, or not concerned; 1 a volume is not as it must be; 3 the source has it, or is silent."""
    if options.what == "proxmox":
        return _proxmox(options)
    if len(options.more) != 2:
        raise CommandFailed("hook post-migrate: VM SOURCE TARGET are needed", USAGE)
    source, target = options.more
    places = places_of(options)
    if target != own_name(places):
        raise CommandFailed(f"this host is {own_name(places)}: the hook runs at the target, {target}", USAGE)
    return _post_migrate(options, places, source, options.within)


def _proxmox(options: argparse.Namespace) -> int:
    """A guest that fails its pre-start is not started: a migration goes back to the source, and nothing is lost."""
    places, phase, source = places_of(options), options.more[0], os.environ.get(FROM, "")
    if phase == "pre-start":
        guest = Guest(options.vm, source, own_name(places), None, _volumes(options))
        if source:
            declare(places, guest, FOR_S)
        failed = ready(places, guest, _level(options, places), _warn)
        for said in failed:
            _warn(said)
        return FAILED if failed else DONE
    if phase == "post-start" and source:
        # The source lets go once the guest runs here, and it does so after this hook: the daemon looks on.
        return DONE if _post_migrate(options, places, source, 0.0, ends=False) != FAILED else FAILED
    return DONE


def _post_migrate(
    options: argparse.Namespace, places: Places, source: str, within_s: float, *, ends: bool = True
) -> int:
    pid = pid_of(options.vm, (options.pids,))
    guest = Guest(options.vm, source, own_name(places), pid, _volumes(options))
    ended = until_ended(places, guest, _level(options, places), _warn, within_s, ends=ends)
    if options.json:
        rows = {volume: asdict(one) for volume, one in ended.decisions.items()}
        say(json.dumps({"verdict": ended.verdict, "done": ended.done, "volumes": rows}, indent=2))
    else:
        _show(guest, ended)
    return CODES[ended.verdict]


def _show(guest: Guest, ended: Ended) -> None:
    for volume, one in ended.decisions.items():
        say(f"{volume}: {one.verdict}{' (a reversion)' if one.reversion else ''}")
    for done in ended.done:
        say(done)
    if not ended.decisions:
        say(f"no volume of {guest.vm} is known to have been a device at {guest.source}: nothing to look at")


def _volumes(options: argparse.Namespace) -> tuple[str, ...]:
    return tuple(str(one.resolve()) for one in options.volume)


def _warn(line: str) -> None:
    sys.stderr.write(f"warning: {line}\n")


def _level(options: argparse.Namespace, places: Places) -> Level:
    """The daemon's: what was set last, else what the settings say, else the first."""
    try:
        from ...kit.settings import ConfigError
        from ..daemon.settings import load
        from ..daemon.stored import StateDamaged, Store

        try:
            state = Store(places.state / "daemon" / "state.json").state
            return state.level or load(options.config).level
        except (StateDamaged, ConfigError) as error:
            raise CommandFailed(str(error)) from error
    except ImportError:
        return Level.READ_ONLY
