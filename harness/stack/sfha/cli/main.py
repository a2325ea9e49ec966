"""`sfha`: the command line."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from ...kit.messages import language_of
from ...kit.speech import choose
from .concealment import conceal
from .errors import DONE, FAILED, INTERRUPTED, CommandFailed
from .frame import add_commands, top_parser
from .output import Output

COMMANDS = {
    "status": ("status",),
    "run": ("run",),
    "init": ("cluster",),
    "token": ("cluster",),
    "join": ("cluster",),
    "leave": ("cluster",),
    "propagate": ("cluster",),
    "node": ("node",),
    "mesh": ("mesh_status", "mesh"),
    "standby": ("standby",),
    "unstandby": ("standby",),
    "restart": ("restart",),
    "stonith": ("stonith", "notices"),
    "failover": ("failover",),
    "reload": ("reload",),
    "vip": ("vip",),
    "service": ("service",),
    "resources": ("resources",),
    "health": ("resources",),
    "constraints": ("resources",),
    "logs": ("logs",),
    "doctor": ("doctor",),
    "config-check": ("check",),
    "config-example": ("example",),
    "completion": ("completion",),
}
"""First word of a command -> the modules that register what starts with it; `--help` keeps the order."""
ALL = tuple(dict.fromkeys(module for modules in COMMANDS.values() for module in modules))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 failed (said in one line), 2 wrong usage, 3 done in part."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if any(word.startswith("sfha-") for word in given):
        conceal(given)
    choose(language_of(_asked_language(given), os.environ))
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr] # a terminal without accents still gets words
    options = parser_for(given).parse_args(given)
    options.output = Output(as_json=getattr(options, "json", False), verbose=options.verbose)
    try:
        return int(options.function(options) or DONE)
    except CommandFailed as error:
        options.output.error(error.why)
        return error.code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read has left (`sfha logs | head`); Python must not try to write the rest at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def parser_for(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """The parser with the command that is asked for; with all of them for anything else (help, mistakes)."""
    words = [
        word
        for index, word in enumerate(arguments)
        if not word.startswith("-") and (index == 0 or arguments[index - 1] != "--lang")
    ]
    return parser_with(COMMANDS[words[0]] if words and words[0] in COMMANDS else ALL)


def parser_with(modules: Sequence[str]) -> argparse.ArgumentParser:
    """The parser with what these modules register."""
    parser = top_parser()
    subparsers = add_commands(parser)
    for name in modules:
        importlib.import_module(f"{__package__}.{name}").register(subparsers)
    return parser


def _asked_language(arguments: Sequence[str]) -> str | None:
    """``--lang`` has to be known before the parser, whose help is in that language, can be made."""
    for index, word in enumerate(arguments):
        if word == "--lang" and index + 1 < len(arguments):
            return arguments[index + 1]
        if word.startswith("--lang="):
            return word.partition("=")[2]
    return None
