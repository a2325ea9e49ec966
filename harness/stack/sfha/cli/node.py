"""`sfha node remove`: take another node out of the cluster."""

import argparse
from typing import TYPE_CHECKING

from ...kit.messages import from_json
from ...kit.speech import said, text
from .asking import call
from .cluster import OPERATION_TIMEOUT_S, show_outcome
from .errors import DONE
from .frame import add_command, add_group

if TYPE_CHECKING:
    from .frame import Subparsers


def register(subparsers: "Subparsers") -> None:
    """Add the command."""
    node = add_group(subparsers, "node")
    remove = add_command(node, "node remove", _remove, data=True)
    remove.add_argument("host", metavar="HOST", help=text("help.node.remove.host"))
    remove.add_argument("--force", action="store_true", help=text("help.node.remove.force"))
    remove.add_argument("--dry-run", action="store_true", help=text("help.node.remove.dry-run"))


def _remove(options: argparse.Namespace) -> int:
    output = options.output
    if not options.dry_run:
        output.step("removal.begun", name=options.host)
    answer = call(
        "node-remove", timeout_s=OPERATION_TIMEOUT_S, name=options.host, force=options.force, dry_run=options.dry_run
    )
    if not options.dry_run:
        return show_outcome(output, answer, "removal.done", "removal.partial")
    lines = [said(from_json(line)) for line in answer["plan"]]
    output.say("removal.plan", name=options.host)
    for line in lines:
        output.line(f"  {line}")
    output.document({"ok": True, "plan": lines})
    return DONE
