"""`sfha resources`, `sfha health` and `sfha constraints`: what runs here, whether it works, what depends on what."""

import argparse
from typing import TYPE_CHECKING, Any

from ...kit.speech import text
from .asking import call
from .frame import add_command

if TYPE_CHECKING:
    from .frame import Subparsers


def register(subparsers: "Subparsers") -> None:
    """Add the commands."""
    add_command(subparsers, "resources", _resources, data=True)
    add_command(subparsers, "health", _health, data=True)
    add_command(subparsers, "constraints", _constraints, data=True)


def _resources(options: argparse.Namespace) -> None:
    status = call("status")
    options.output.document({"vips": status["vips"], "services": status["services"]})
    rows = [
        [
            vip["name"],
            "vip",
            text("state.up") if vip["held"] else text("state.failed") if vip["error"] else "-",
            vip["error"] or vip["address"],
        ]
        for vip in status["vips"]
    ]
    rows += service_rows(status["services"])
    options.output.table(rows)


def service_rows(services: list[dict[str, Any]]) -> list[list[str]]:
    """Name, type, state in words, and what is wrong, of each service."""
    return [[one["name"], one["type"], text(f"state.{one['state']}"), one["error"] or ""] for one in services]


def _health(options: argparse.Namespace) -> None:
    checks = call("status")["health"]
    options.output.document(checks)
    if not checks:
        options.output.say("health.nothing")
    marks = {True: text("state.healthy"), False: text("state.unhealthy"), None: "-"}
    options.output.table(
        [[one["name"], one["type"], one["target"], marks[one["healthy"]], one["error"] or ""] for one in checks]
    )


def _constraints(options: argparse.Namespace) -> None:
    from dataclasses import asdict

    from ..config.load import ConfigError, load_config
    from ..constraints.core import Order
    from .errors import CommandFailed

    try:
        found = load_config().resources.constraints
    except ConfigError as error:
        raise CommandFailed(error.why) from error
    options.output.document([asdict(one) for one in found])
    if not found:
        options.output.say("constraints.nothing")
    rows = [
        ["order", one.first, one.then] if isinstance(one, Order) else ["colocation", one.resource, one.other]
        for one in found
    ]
    options.output.table(rows)
