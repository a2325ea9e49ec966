"""`mfs-autonomy daemon`, `token`, `audit` and `config-example`."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from ...kit.command_line import DONE, FAILED, USAGE
from ..daemon.audit import AuditLog
from ..daemon.core.chain import Head, entries
from ..daemon.example import EXAMPLE
from ..daemon.tokens import Role, Tokens
from .errors import CommandFailed
from .frame import places_of, say, show_table

if TYPE_CHECKING:
    from .frame import Commands

CONFIG = Path("/etc/mfs-autonomy/config.yml")
NEEDED = "python3-fastapi python3-prometheus-client python3-uvicorn python3-yaml"


def register(commands: "Commands") -> None:
    """Add the commands."""
    parser = commands.add_parser("daemon", help="run the daemon: look, mend, tell, answer the API")
    parser.add_argument("--config", type=Path, metavar="FILE", help=f"settings (default {CONFIG}, if it is there)")
    parser.set_defaults(function=daemon)
    parser = commands.add_parser("config-example", help="print settings of the daemon with all keys explained")
    parser.set_defaults(function=example)
    parser = commands.add_parser("token", help="make, list and take back tokens of the daemon's API")
    parser.add_argument("what", choices=("create", "list", "remove"))
    parser.add_argument("name", nargs="?", metavar="NAME", help="whose it is")
    parser.add_argument("--role", choices=[one.name for one in Role], default="read", help="default: %(default)s")
    parser.set_defaults(function=token)
    parser = commands.add_parser(
        "audit",
        help="show the audit log, or verify that nothing in it was changed, cut out or put in",
        epilog="Keep the head that `audit verify` prints elsewhere: --head then tells whether all was written anew.",
    )
    parser.add_argument("what", choices=("show", "verify"))
    parser.add_argument(
        "--head", metavar="LINES:DIGEST", help="a head that was seen earlier, which must be in it still"
    )
    parser.set_defaults(function=audit)


def daemon(options: argparse.Namespace) -> int:
    """Until it is told to stop."""
    # What a command does not need is not loaded for it, and need not be installed.
    try:
        from ...kit.settings import ConfigError
        from ..daemon.process import StartError, serve
        from ..daemon.settings import load
    except ImportError as error:
        raise CommandFailed(f"the daemon needs more ({error.name}): apt-get install {NEEDED}") from error
    from ..daemon.log import LineLog
    from ..daemon.stored import StateDamaged

    try:
        found = load(options.config or CONFIG, must_be_there=options.config is not None)
        serve(places_of(options), found, LineLog())
    except (StartError, StateDamaged, ConfigError) as error:
        raise CommandFailed(str(error)) from error
    return DONE


def example(_options: argparse.Namespace) -> int:
    """As it is by default."""
    say(EXAMPLE.rstrip())
    return DONE


def token(options: argparse.Namespace) -> int:
    """In the file that the daemon reads; it need not run."""
    tokens = Tokens(places_of(options).state / "daemon" / "tokens.json")
    if options.what == "list":
        rows = [(one.name, one.role.name) for one in tokens.every().values()]
        show_table(("NAME", "ROLE"), sorted(rows)) if rows else say("there is none: mfs-autonomy token create NAME")
        return DONE
    if not options.name:
        raise CommandFailed(f"token {options.what}: whose? Give a name", USAGE)
    if options.what == "create":
        say(tokens.create(options.name, Role[options.role]))
    else:
        tokens.remove(options.name)
    return DONE


def audit(options: argparse.Namespace) -> int:
    """Exit code 1 where something is wrong."""
    log = AuditLog(places_of(options).state / "daemon")
    if options.what == "show":
        for one in entries(log.content()):
            detail = json.dumps(one["detail"]) if one["detail"] else ""
            said = "  ".join(str(part) for part in (one["at"], one["who"], one["what"], one["why"], detail) if part)
            say(f"{one['n']:>6}  {said}")
        return DONE
    faults = log.verify(_head(options.head) if options.head else None)
    for fault in faults:
        say(f"line {fault.line}: {fault.what}" if fault.line else fault.what)
    head = log.head()
    if not faults:
        say("nothing was written yet" if head is None else f"all as it was written; head {head.lines}:{head.digest}")
    return FAILED if faults else DONE


def _head(given: str) -> Head:
    lines, _, digest = given.partition(":")
    if not lines.isdigit() or len(digest) != 64:
        raise CommandFailed("--head must be LINES:DIGEST, as `audit verify` prints it", USAGE)
    return Head(int(lines), digest)
