"""`sfha stonith notify`: which program of this node is told of nodes that have no power."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ...kit.messages import Message, message
from ...kit.speech import text
from .errors import CommandFailed
from .frame import add_command, add_group

if TYPE_CHECKING:
    from ..config.load import Config
    from .frame import Subparsers
    from .output import Output

CONFIG = Path("/etc/sfha/config.yml")


def register(subparsers: "Subparsers") -> None:
    """Add the command to the group."""
    parser = add_command(add_group(subparsers, "stonith"), "stonith notify", _notify, data=True)
    parser.add_argument("program", nargs="?", metavar=text("stonith.word.program"), help=text("help.notify.program"))
    parser.add_argument("--none", action="store_true", help=text("help.notify.none"))


def untold(config: "Config") -> Message | None:
    """Why the program that config.yml names will be told of nothing; None where it will, or there is none."""
    if config.stonith is None or config.stonith.notify is None:
        return None
    program = config.stonith.notify.program
    if not os.access(program, os.X_OK) or not Path(program).is_file():
        return message("notify.not-executable", program=program)
    return None if config.stonith.enabled else message("notify.disabled", program=program)


def _notify(options: argparse.Namespace) -> None:
    from ..config.load import ConfigError, load_config

    output: Output = options.output
    if options.program and options.none:
        raise CommandFailed(message("notify.both"), 2)
    try:
        config = load_config(CONFIG)
        changed = bool(options.program or options.none) and _change(config, options.program)
        config = load_config(CONFIG) if changed else config
    except ConfigError as error:
        raise CommandFailed(error.why) from error
    told = config.stonith.notify.program if config.stonith and config.stonith.notify else None
    output.document({"ok": True, "program": told, "changed": changed})
    output.say("notify.is" if told else "notify.nobody", program=told)
    if (why := untold(config)) is not None:
        output.warn(why)
    if changed:
        output.say("notify.reload")


def _change(config: "Config", program: str | None) -> bool:
    """Have config.yml name this program, or none; False where it does already. Raises CommandFailed, ConfigError."""
    from ...kit.durable import write_durably
    from ..config.load import load_config
    from ..config.text import TextError, with_entry

    if config.stonith is None:
        if program is None:
            return False
        raise CommandFailed(message("notify.no-fencing", path=str(CONFIG)))
    try:
        before = CONFIG.read_text(encoding="utf-8")
        notify = None if program is None else _kept(config, program)
        after = with_entry(before, "stonith", "notify", notify)
        load_config(CONFIG, after)
        if after != before:
            write_durably(CONFIG, after, CONFIG.stat().st_mode & 0o777)
    except TextError as error:
        raise CommandFailed(message("stonith.not-written", path=str(CONFIG), reason=str(error))) from error
    except OSError as error:
        raise CommandFailed(message("stonith.not-written", path=str(CONFIG), reason=error.strerror or "")) from error
    return after != before


def _kept(config: "Config", program: str) -> dict[str, object]:
    """The entry with another program; its time stays, where it is not the usual."""
    from ..fencing.settings import Notify

    known = config.stonith.notify if config.stonith else None
    if known is None or known.timeout_s == Notify(program).timeout_s:
        return {"program": program}
    return {"program": program, "timeout_ms": round(known.timeout_s * 1000)}
