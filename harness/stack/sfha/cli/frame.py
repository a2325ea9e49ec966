"""What every command is made with: its place in the parser, its help in the user's language, its common options.

A command module has ``register(subparsers)``, which calls ``add_command(subparsers, "vip add", function)``. The texts
come from the catalogue by name: ``help.vip.add`` is the line in lists, ``more.vip.add`` what `--help` teaches, with
examples. The function takes the parsed options, shows things through ``options.output`` and returns an exit code, or
None for 0.
"""

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from ...kit.messages import LANGUAGES, texts
from ...kit.speech import chosen, text
from .. import VERSION
from .errors import USAGE

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

Function = Callable[[argparse.Namespace], int | None]


class Parser(argparse.ArgumentParser):
    """Says usage errors in one line, with where to read on."""

    def error(self, message: str) -> NoReturn:
        """Say it and exit with 2."""
        sys.stderr.write(f"sfha: {message}\n{text('usage.hint', command=self.prog)}\n")
        self.exit(USAGE)


def top_parser() -> argparse.ArgumentParser:
    """The parser of `sfha` itself, without commands yet."""
    _translate_argparse()
    parser = Parser(
        prog="sfha",
        description=text("help.sfha"),
        epilog=text("more.sfha"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"sfha {VERSION}", help=text("help.version"))
    _add_common(parser, default=None, hidden=False)
    return parser


def add_commands(parser: argparse.ArgumentParser) -> "Subparsers":
    """The place for commands, or for the commands of a group."""
    return parser.add_subparsers(
        dest="command", required=True, metavar=text("word.command"), title=text("word.commands")
    )


def add_command(
    subparsers: "Subparsers", name: str, function: Function, *, data: bool = False
) -> argparse.ArgumentParser:
    """Add the command; ``name`` is whole ("vip add"), ``data`` gives it `--json`."""
    parser = _add(subparsers, name)
    if data:
        parser.add_argument("--json", action="store_true", help=text("help.option.json"))
    _add_common(parser, default=argparse.SUPPRESS, hidden=True)
    parser.set_defaults(function=function, command=name)
    return parser


def add_group(subparsers: "Subparsers", name: str) -> "Subparsers":
    """The commands that start with ``name``; several modules may add to one group."""
    parser = subparsers.choices.get(name)
    if parser is None:
        return add_commands(_add(subparsers, name))
    return next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))


def _add(subparsers: "Subparsers", name: str) -> argparse.ArgumentParser:
    key = name.replace(" ", ".")
    summary = text(f"help.{key}")
    return subparsers.add_parser(
        name.rsplit(maxsplit=1)[-1],
        help=summary,
        description=f"{summary[:1].upper()}{summary[1:]}.",
        epilog=text(f"more.{key}") if f"more.{key}" in texts() else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_common(parser: argparse.ArgumentParser, default: str | None, hidden: bool) -> None:
    """`--lang` and `--verbose` are taken before and after the command; only `sfha --help` lists them."""
    language, verbose = text("help.option.lang"), text("help.option.verbose")
    parser.add_argument("--lang", choices=LANGUAGES, default=default, help=argparse.SUPPRESS if hidden else language)
    parser.add_argument(
        "--verbose",
        "-v",
        action="store_true",
        default=default or False,
        help=argparse.SUPPRESS if hidden else verbose,
    )


def _translate_argparse() -> None:
    """Have argparse's own words in the chosen language; they are in the catalogue under the words themselves."""
    if chosen() == "en":
        return

    def translated(words: str) -> str:
        return text(f"argparse.{words}") if f"argparse.{words}" in texts() else words

    setattr(argparse, "_", translated)  # noqa: B010 - argparse's own name for gettext, which it does not export
