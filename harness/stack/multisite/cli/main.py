"""`multisite`: the command line."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from .. import VERSION
from ..settings.load import CONFIG_PATH
from .failed import CommandFailed
from .output import complain

DONE, FAILED, DIFFERENT = 0, 1, 3
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code: 0 done, 1 failed (said in one line), 2 wrong usage, 3 there are differences."""
    options = parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except CommandFailed as error:
        complain(f"multisite: {error}")
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read has left; Python must not try to write the rest at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def parser() -> argparse.ArgumentParser:
    """All commands."""
    top = argparse.ArgumentParser(prog="multisite", description="One public endpoint, backends on several sites.")
    top.add_argument("--version", action="version", version=f"multisite {VERSION}")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _here(commands)
    _by_api(commands)
    return top


def _here(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    on_this_machine = argparse.ArgumentParser(add_help=False)
    on_this_machine.add_argument(
        "--config", type=Path, default=CONFIG_PATH, metavar="FILE", help="settings (default: %(default)s)"
    )

    def command(name: str, help_: str, run: str) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=help_, description=help_, parents=[on_this_machine])
        one.set_defaults(run=lambda options: _run("here", run, options))
        return one

    command("serve", "run the platform: API, health checks, edge", "serve")
    command("edge", "run Caddy, from the configuration that it took last", "edge")
    token = command("token", "make, list and take back tokens of the API, in the database itself", "token")
    token.add_argument("what", choices=["create", "list", "remove"])
    token.add_argument("name", nargs="?", help="whose it is")
    token.add_argument("--role", choices=["read", "operate", "admin"], default="read", help="default: %(default)s")
    example = commands.add_parser("config-example", help="print settings with all keys explained")
    example.set_defaults(run=lambda options: _run("here", "example", options))


def _by_api(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    api = argparse.ArgumentParser(add_help=False)
    api.add_argument(
        "--url", default=os.environ.get("MULTISITE_URL", "http://127.0.0.1:8000"), help="of the API (or MULTISITE_URL)"
    )
    api.add_argument("--token-file", type=Path, metavar="FILE", help="holds the token (or MULTISITE_TOKEN holds it)")

    def command(name: str, help_: str, run: str) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=help_, description=help_, parents=[api])
        one.set_defaults(run=lambda options: _run("remote", run, options))
        return one

    for name, help_ in (
        ("apply", "make the inventory exactly what the file says, all or nothing"),
        ("diff", "show what `apply` would do; exit code 3 when there is something"),
    ):
        command(name, help_, name).add_argument("file", type=Path, help="a YAML file; `export` prints one")
    command("export", "print the inventory as a file for `apply`", "export")
    command("status", "show backends and the edge as they are now", "status")


def _run(module: str, function: str, options: argparse.Namespace) -> int:
    # What a command does not need is not loaded for it.
    if module == "here":
        from . import here as found
    else:
        from . import remote as found  # type: ignore[no-redef]
    return int(getattr(found, function)(options) or DONE)


__all__ = ["CommandFailed", "main", "parser"]
