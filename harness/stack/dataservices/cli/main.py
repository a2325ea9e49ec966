"""`keyservices`: the command line."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from ...kit.command_line import FAILED, USAGE, Parser, carried_out
from .. import VERSION
from ..base.module import BaseModule
from ..base.openings import OpeningsWrong, read_openings
from ..cleanup.core import DevicesWrong
from ..credentials.core import CredentialsWrong
from ..failover.act import NotDone, NotProven
from ..installer.install import Installer, Shell, StageFailed
from ..installer.prerequisites import PrerequisiteMissing, make_folders, reached, require
from ..installer.proving import install, logged, told_of
from ..installer.shells import Shells
from ..installer.ssh import Ssh
from ..installer.standing import Standing, complete
from ..installer.validating import validate
from ..inventory.core import Inventory, InventoryWrong, Role, Server, domain_in, read
from ..modules import MODULES, called, concerned, keep_choice, needed, with_programs
from ..plan.module import HOME, Module, ModuleImpossible, check_roles, placeholders
from ..programs.core import NotShownHere, SettingsWrong
from ..programs.folder import Programs
from ..templates.render import TemplateWrong
from .cleanup import NotConfirmed, clean_up
from .tables import TableUnreadable, text_of
from .takeover import bring_back, follow_fencing, take_over

PROGRAM = "keyservices"
NOT_COMPLETE = 3
"""Nothing is wrong, and not all is shown: something was not executed, or what it stands on is not here."""
_ERRORS: dict[type[Exception], int] = {
    InventoryWrong: USAGE,
    CredentialsWrong: USAGE,
    DevicesWrong: USAGE,
    NotConfirmed: USAGE,
    OpeningsWrong: USAGE,
    PrerequisiteMissing: USAGE,
    ModuleImpossible: USAGE,
    SettingsWrong: USAGE,
    TableUnreadable: USAGE,
    TemplateWrong: USAGE,
    StageFailed: FAILED,
    NotShownHere: NOT_COMPLETE,
    NotProven: FAILED,
    NotDone: FAILED,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code.

    0 done, 1 not as it should be, 2 wrong usage or wrong input, 3 nothing wrong, and not all of it shown.
    """
    options = _parser().parse_args(arguments)
    again = "interrupted; call it again and it goes on"
    return carried_out(PROGRAM, lambda: options.function(options), _ERRORS, system_errors=USAGE, interrupted=again)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog=PROGRAM, description="Data services, highly available, installed module by module.")
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {VERSION}")
    parser.add_argument("--inventory", type=Path, default=Path(f"{HOME}/inventory/servers.tsv"), help="servers.tsv")
    parser.add_argument("--home", type=Path, default=Path(HOME), help=f"credentials, logs (default {HOME})")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", title="commands")
    check = commands.add_parser("check", help="say what is wrong with the inventory, and what it is enough for")
    check.add_argument(
        "--reach", action="store_true", help="also log in to every server, as it is done before anything is installed"
    )
    _logging_in(check)
    check.set_defaults(function=_check)
    installing = commands.add_parser("install", help="install modules, each proven before the next begins")
    _choosing(installing)
    installing.add_argument("--dry-run", action="store_true", help="print what would be made sure of, and do nothing")
    installing.add_argument(
        "--skip-validation", action="store_true", help="execute no failover; nothing is called complete then"
    )
    _logging_in(installing)
    installing.set_defaults(function=_install)
    cleaning = commands.add_parser("cleanup", help="have servers with nothing of ours, but for their credentials")
    cleaning.add_argument("servers", nargs="*", metavar="SERVER", help="names; a protected one is never cleaned")
    cleaning.add_argument("--all", action="store_true", help="all but the protected; the installer's logs as well")
    cleaning.add_argument("--devices", type=Path, help="table of devices to be made anew (default: beside servers.tsv)")
    cleaning.add_argument("--dry-run", action="store_true", help="print what would be made sure of, and do nothing")
    cleaning.add_argument("--yes", action="store_true", help="do not ask for a confirmation")
    _logging_in(cleaning)
    cleaning.set_defaults(function=_cleanup)
    validating = commands.add_parser(
        "validate", help="look at every module, change nothing, and say what is proven; 0 only if all of it is"
    )
    _choosing(validating)
    _logging_in(validating)
    validating.set_defaults(function=_validate)
    takeover = commands.add_parser("takeover", help="a server is dead: take its power away, and go on without it")
    takeover.add_argument("node", help="its name; whoever calls this vouches that the others are the majority")
    takeover.add_argument("--power", required=True, help="program that is called: off NAME, and status NAME")
    _logging_in(takeover)
    takeover.set_defaults(function=lambda options: take_over(options, _inventory(options), _shell(options)))
    back = commands.add_parser("returned", help="a server that was taken over is back: reach it as ever")
    back.add_argument("node", help="its name")
    _logging_in(back)
    back.set_defaults(function=lambda options: bring_back(options, _inventory(options), _shell(options)))
    following = commands.add_parser(
        "follow-fencing", help="have sfha, on every server, do what takeover and returned do, once it has fenced one"
    )
    following.add_argument("--dry-run", action="store_true", help="print what would be made sure of, and do nothing")
    _logging_in(following)
    following.set_defaults(function=_follow_fencing)
    return parser


def _choosing(command: argparse.ArgumentParser) -> None:
    command.add_argument("--module", help="this one alone, by number or name")
    command.add_argument("--from", dest="first", type=int, default=0, metavar="N", help="begin with module N")


def _logging_in(command: argparse.ArgumentParser) -> None:
    command.add_argument("--key", type=Path, default=Path.home() / ".ssh/id_ed25519", help="SSH key")
    command.add_argument("--known-hosts", type=Path, default=Path.home() / ".ssh/known_hosts", help="host keys")
    command.add_argument("--user", default="root", help="who logs in (default root, others need sudo)")


def _shell(options: argparse.Namespace) -> Ssh:
    return Ssh(options.key, options.known_hosts, options.user)


def _shells(options: argparse.Namespace, inventory: Inventory) -> Shell:
    return Shells(inventory.installer, _shell(options))


def _ready(options: argparse.Namespace, inventory: Inventory, servers: Sequence[Server]) -> None:
    """Before anything is changed: this is the installer, with its folders, and all of these let it in."""
    require(inventory, options.key)
    make_folders(options.home, MODULES)
    with logged(options.home / "logs" / "prerequisites.log") as say:
        Installer(inventory, _shells(options, inventory), say).carry_out(reached(servers))


def _inventory(options: argparse.Namespace) -> Inventory:
    inventory = read(text_of(options.inventory), str(options.inventory))
    file = options.inventory.with_name("domain")
    if not file.exists():
        return inventory
    return replace(inventory, domain=domain_in(file.read_text(encoding="utf-8", errors="replace"), str(file)))


def _follow_fencing(options: argparse.Namespace) -> int:
    inventory = _inventory(options)
    if not options.dry_run:
        require(inventory, options.key)
        make_folders(options.home, MODULES)
    follow_fencing(options, inventory, _shells(options, inventory))
    return 0


def _check(options: argparse.Namespace) -> int:
    inventory = _inventory(options)
    modules = [_opened(module, options) for module in needed(inventory)]
    for role in Role:
        if servers := inventory.of(role):
            sys.stdout.write(f"{role.value}: {', '.join(f'{one.name} ({one.site})' for one in servers)}\n")
    for module in modules:
        sys.stdout.write(f"module {module.number}: {module.title}\n")
    if options.reach:
        _ready(options, inventory, inventory.servers)
        sys.stdout.write(f"all {len(inventory.servers)} servers are reached\n")
    return 0


def _cleanup(options: argparse.Namespace) -> int:
    inventory = _inventory(options)
    if not options.dry_run:
        require(inventory, options.key)
    clean_up(options, inventory, _shells(options, inventory))
    return 0


def _install(options: argparse.Namespace) -> int:
    inventory = _inventory(options)
    modules = (called(options.module),) if options.module else needed(inventory)
    modules = tuple(_opened(module, options) for module in modules if module.number >= options.first)
    if not modules:
        raise ModuleImpossible("the inventory has servers for no module that is asked for")
    programs = Programs(options.home)
    there: list[Module] = []
    nowhere: list[str] = []
    for one in modules:
        check_roles(one, inventory)
        try:
            there.append(with_programs(one, programs))
        except NotShownHere as error:
            nowhere.append(f"{one.name}: not shown here: {error}")
    if options.dry_run:
        for module in there:
            sys.stdout.write("".join(f"{line}\n" for line in told_of(module, inventory)))
    elif there:
        _ready(options, inventory, _concerned(there, inventory))
        for module in there:
            keep_choice(module, programs)
            try:
                install(module, inventory, _shells(options, inventory), options.home, prove=not options.skip_validation)
            except NotShownHere as error:  # what does not stand on it goes on
                nowhere.append(f"{module.name}: not shown here: {error}")
    if nowhere:
        raise NotShownHere("\n".join(nowhere))
    return 0


def _validate(options: argparse.Namespace) -> int:
    inventory = _inventory(options)
    require(inventory, options.key)
    every = concerned(inventory)
    modules = (called(options.module),) if options.module else every
    modules = tuple(_opened(module, options) for module in modules if module.number >= options.first)
    with_what = partial(with_programs, programs=Programs(options.home))
    shells, whole = _shells(options, inventory), len(modules) == len(every)
    found = validate(modules, inventory, shells, options.home, whole=whole, with_programs=with_what)
    if complete(found):
        return 0
    return FAILED if any(one.standing is Standing.NOT_PROVEN for one in found) else NOT_COMPLETE


def _opened(module: Module, options: argparse.Namespace) -> Module:
    """With what a table beside the inventory opens, where there is one."""
    file = options.inventory.parent / "openings.tsv"
    if isinstance(module, BaseModule) and file.exists():
        return replace(module, opened=read_openings(text_of(file), str(file)))
    return module


def _concerned(modules: Sequence[Module], inventory: Inventory) -> tuple[Server, ...]:
    """Those on which these modules do anything."""
    does = {name for module in modules for name in module.plan(inventory, placeholders(module)).servers}
    return tuple(server for server in inventory.servers if server.name in does)


if __name__ == "__main__":
    sys.exit(main())
