"""`sfha status [--json]`: what the local daemon knows. Asking changes nothing."""

import argparse
import json
import sys
from typing import TYPE_CHECKING

from ..control import DaemonUnreachable, ask
from .errors import CommandFailed

if TYPE_CHECKING:
    from .frame import Subparsers


def register(subparsers: "Subparsers") -> None:
    """Add the command."""
    parser = subparsers.add_parser("status", help="show membership, leader and virtual addresses")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(function=_status)


def _status(options: argparse.Namespace) -> None:
    try:
        answer = ask("status")
    except DaemonUnreachable as error:
        raise CommandFailed(str(error)) from error
    if options.json:
        sys.stdout.write(answer)
        return
    status = json.loads(answer)
    lines = [
        f"node     {status['node']} ({status['node_id']}){', standby' if status['standby'] else ''}",
        f"quorum   {'yes' if status['quorate'] else 'NO'}, members {', '.join(map(str, status['members'])) or 'none'}",
        f"leader   {status['leader_name'] or 'none'}",
        f"lease    {status['lease']}",
    ]
    for vip in status["vips"]:
        where = "held here" if vip["held"] else "not here"
        lines.append(f"vip      {vip['name']} {vip['address']} on {vip['interface']}: {vip['error'] or where}")
    for peer in status["peers"]:
        state = "alive" if peer["alive"] else "silent"
        lines.append(f"peer     {peer['name']} ({peer['node_id']}): {state}{', standby' if peer['standby'] else ''}")
    for name in status["broken_on_purpose"]:
        lines.append(f"WARNING  unsafe.{name} is false: a guarantee is broken on purpose")
    sys.stdout.write("\n".join(lines) + "\n")
