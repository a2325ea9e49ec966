"""`mfs-autonomy pro`: whether this MooseFS could become a Pro one, and by which steps; nothing is done."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ...kit.command_line import DONE, FAILED
from ..failover.metadata import candidate_of
from ..moosefs import CLIENTS_PORT
from ..pro.core import Need, Step, needs, plan, ready
from ..pro.looking import state_of
from .frame import say, show_table

if TYPE_CHECKING:
    from .frame import Commands

SAID = {True: "yes", False: "NO", None: "look"}


def register(commands: "Commands") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "pro",
        help="show what is missing for MooseFS Pro (check), or the steps to it for this cluster (plan)",
        epilog="The steps are for a person, and were not run by whoever wrote them: Pro needs a licence, and is in no "
        "public archive. Try them on a copy of the metadata first.",
    )
    parser.add_argument("what", choices=("check", "plan"))
    parser.add_argument("--master", default="mfsmaster", help="default: %(default)s")
    parser.add_argument("--port", type=int, default=CLIENTS_PORT, help="for clients (default %(default)s)")
    parser.add_argument(
        "--metalogger", type=Path, default=Path("/var/lib/mfs"), help="its folder here, if there is one"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(function=pro)


def pro(options: argparse.Namespace) -> int:
    """Exit code 1 where the first step may not be begun."""

    def standby() -> tuple[str, ...] | None:
        here = any(options.metalogger.glob("*_ml*"))
        return candidate_of(options.metalogger).problems if here else None

    state = state_of(options.master, options.port, standby)
    found, steps = needs(state), plan(state) if options.what == "plan" and not state.error else ()
    code = DONE if ready(state) else FAILED
    if options.json:
        document = {
            "ready": code == DONE,
            "needs": [asdict(one) for one in found],
            "steps": [asdict(one) for one in steps],
        }
        say(json.dumps(document, indent=2))
        return code
    show_table(("NEEDED", "", "SEEN"), [(one.what, SAID[one.holds], one.seen) for one in found])
    for number, step in enumerate(steps, 1):
        _show(number, step)
    return code


def _show(number: int, step: Step) -> None:
    waits = " (clients wait meanwhile)" if step.kind == "interrupts" else ""
    say(f"\n{number}. {step.name}, on {step.where}{waits}")
    for need in step.needs:
        if need.holds is not True:
            say(f"   first: {_need(need)}")
    for command in step.commands:
        say(f"   $ {command}")
    say(f"   then: {step.check}")
    say(f"   back: {step.back}")


def _need(need: Need) -> str:
    return f"{need.what} ({'not so' if need.holds is False else 'look'}: {need.seen})"
