"""`multisite`: the command line."""

import argparse
import importlib
import os
from collections.abc import Sequence
from pathlib import Path

from ...kit.command_line import FAILED, Parser, carried_out
from .. import VERSION
from .failed import CommandFailed

CONFIG_PATH, AGENT_PATH = Path("/etc/multisite/config.yml"), Path("/etc/multisite/agent.yml")
PROGRAM = "multisite"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code: 0 done, 1 failed (said in one line), 2 wrong usage, 3 there are differences."""
    options = parser().parse_args(arguments)

    def work() -> int | None:
        # What a command does not need is not loaded for it.
        module = importlib.import_module(f"{__package__}.{options.module}")
        done: int | None = getattr(module, options.function)(options)
        return done

    return carried_out(PROGRAM, work, {CommandFailed: FAILED})


def parser() -> argparse.ArgumentParser:
    """All commands."""
    top = Parser(prog=PROGRAM, description="One public endpoint, backends on several sites.")
    top.add_argument("--version", action="version", version=f"multisite {VERSION}")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _here(commands)
    _by_api(commands)
    return top


def _here(commands: "argparse._SubParsersAction[Parser]") -> None:
    on_this_machine = Parser(add_help=False)
    on_this_machine.add_argument(
        "--config", type=Path, default=CONFIG_PATH, metavar="FILE", help="settings (default: %(default)s)"
    )

    def command(name: str, help_: str) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=help_, description=help_, parents=[on_this_machine])
        one.set_defaults(module=name, function="run")
        return one

    command("serve", "run the platform: API, health checks, edge")
    command("edge", "run Caddy, from the configuration that it took last")
    token = command("token", "make, list and take back tokens of the API, in the database itself")
    token.add_argument("what", choices=["create", "list", "remove"])
    token.add_argument("name", nargs="?", help="whose it is")
    token.add_argument(
        "--role",
        choices=["agent", "read", "operate", "admin"],
        default="read",
        help="default: %(default)s; an agent's has the name of its machine",
    )
    agent = commands.add_parser("agent", help="report this machine's containers, and run what is placed here")
    agent.add_argument(
        "--config", type=Path, default=AGENT_PATH, metavar="FILE", help="settings (default: %(default)s)"
    )
    agent.set_defaults(module="agent", function="run")
    guard = commands.add_parser("guard", help="end exclusive containers whose lease is over; the agent starts it")
    guard.add_argument("--run", type=Path, required=True, metavar="FOLDER")
    guard.add_argument("--docker", required=True, metavar="URL")
    guard.set_defaults(module="agent", function="guard")
    agent_example = commands.add_parser("agent-example", help="print an agent's settings with all keys explained")
    agent_example.set_defaults(module="agent", function="example")
    example = commands.add_parser("config-example", help="print settings with all keys explained")
    example.set_defaults(module="example", function="run")


def _by_api(commands: "argparse._SubParsersAction[Parser]") -> None:
    api = Parser(add_help=False)
    api.add_argument(
        "--url", default=os.environ.get("MULTISITE_URL", "http://127.0.0.1:8000"), help="of the API (or MULTISITE_URL)"
    )
    api.add_argument("--token-file", type=Path, metavar="FILE", help="holds the token (or MULTISITE_TOKEN holds it)")

    def command(name: str, help_: str) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=help_, description=help_, parents=[api])
        one.set_defaults(module="remote", function=name)
        return one

    for name, help_ in (
        ("apply", "make the inventory exactly what the file says, all or nothing"),
        ("diff", "show what `apply` would do; exit code 3 when there is something"),
    ):
        command(name, help_).add_argument("file", type=Path, help="a YAML file; `export` prints one")
    command("export", "print the inventory as a file for `apply`")
    command("status", "show backends and the edge as they are now")
    command("machines", "show the machines that registered, as they are now")
    command("tunnels", "show the tunnels of machines, as the hub has them")
    rotate = command("rotate", "have a machine change the key of its tunnel, or the hub its own")
    rotate.add_argument("name", help="of the machine, or: hub")
    service = command("service", "show what runs for a service, or change how many and which")
    service.add_argument("name", help="of the service")
    service.add_argument("--replicas", type=int, metavar="N", help="so many containers")
    service.add_argument("--image", help="this image, replacing what runs, one after the other")
