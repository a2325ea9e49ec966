"""`sfha`: the command line."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from ..languages.core import language_of
from ..languages.speech import choose
from .errors import DONE, FAILED, INTERRUPTED, CommandFailed
from .frame import add_commands, top_parser
from .output import Output

COMMANDS = {
    "status": ("status",),
    "run": ("run",),
    "standby": ("standby",),
    "unstandby": ("standby",),
    "config-check": ("check",),
}
"""First word of a command -> the modules of this package that register what starts with it; `--help` keeps the order."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 failed (said in one line), 2 wrong usage, 3 done in part."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    choose(language_of(_asked_language(given), os.environ))
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
    """The parser with the command that is asked for; with all of them when that is none (help, mistakes, completion)."""
    words = [word for word in arguments if not word.startswith("-")]
    named = next((COMMANDS[word] for word in words[:2] if word in COMMANDS), None)
    modules = (
        named if named is not None else tuple(dict.fromkeys(name for names in COMMANDS.values() for name in names))
    )
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
