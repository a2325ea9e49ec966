"""`mfs-autonomy incidents`: what is wrong here, by one look; nothing is done."""

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from ...kit.command_line import DONE, FAILED
from ..autonomy.core import RULES
from ..incidents.catalogue import BY_NAME, EVERY
from ..incidents.gather import Gatherer
from .frame import places_of, say, show_table

if TYPE_CHECKING:
    from .frame import Commands


def register(commands: "Commands") -> None:
    """Add the command."""
    parser = commands.add_parser("incidents", help="show what is wrong here; the daemon mends what its level allows")
    parser.add_argument("--catalogue", action="store_true", help="show every kind that is known")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(function=incidents)


def incidents(options: argparse.Namespace) -> int:
    """Exit code 1 where there is any; what is under way may look like one."""
    if options.catalogue:
        kinds: list[tuple[str, ...]] = [
            (
                one.name,
                one.severity,
                one.remedy or "-",
                str(RULES[one.act].needs.value) if one.remedy else "-",
                one.advice,
            )
            for one in EVERY
        ]
        show_table(("INCIDENT", "", "REMEDY", "LEVEL", "A PERSON"), kinds)
        return DONE
    facts = Gatherer(places_of(options)).look()
    cases = [case for one in EVERY for case in one.cases(facts)]
    if options.json:
        say(json.dumps([asdict(case) for case in cases], indent=2))
    elif cases:
        rows = [(case.incident, case.subject, case.seen, BY_NAME[case.incident].advice) for case in cases]
        show_table(("INCIDENT", "AT", "SEEN", "WHAT TO DO"), rows)
    else:
        say("nothing is wrong")
    return FAILED if cases else DONE
