"""`sfha failover [--to NODE]`: have another node lead."""

import argparse
from typing import TYPE_CHECKING

from ...kit.messages import message
from .asking import call
from .errors import DONE, PARTIAL
from .frame import add_command

if TYPE_CHECKING:
    from .frame import Subparsers

ANSWER_WITHIN_S = 10.0


def register(subparsers: "Subparsers") -> None:
    """Add the command."""
    from ...kit.speech import text

    parser = add_command(subparsers, "failover", _failover, data=True)
    parser.add_argument("--to", metavar="NODE", help=text("help.failover.to"))
    parser.add_argument("--for", dest="for_s", type=int, default=3600, metavar="S", help=text("help.failover.for"))


def _failover(options: argparse.Namespace) -> int:
    answer = call("failover", timeout_s=ANSWER_WITHIN_S, to=options.to, for_s=options.for_s)
    options.output.document(answer)
    if answer["leader"] != answer["target"]:
        leader = answer["leader"] or message("failover.nobody-yet")
        options.output.partial("failover.pending", node=answer["target"], leader=leader)
        return PARTIAL
    options.output.done("failover.done", node=answer["target"])
    options.output.say("failover.until", seconds=answer["for_s"])
    return DONE
