"""`mfs-autonomy preflight`: what would be looked at before a move, report only."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ...kit.command_line import DONE, FAILED
from ..moves.running import target_of
from ..preflight.checks import EVERY
from ..preflight.core import CATEGORIES, Outcome, Risk
from ..preflight.operation import Operation
from ..preflight.run import run
from .frame import places_of, say, show_table

if TYPE_CHECKING:
    from .frame import Commands


def register(commands: "Commands") -> None:
    """Add the command."""
    parser = commands.add_parser("preflight", help="check what a move needs; nothing is done")
    parser.add_argument("source", type=Path, metavar="SOURCE")
    parser.add_argument("target", type=Path, metavar="TARGET")
    parser.add_argument("--keep-source", action="store_true", help="for a copy")
    parser.add_argument("--all", action="store_true", help="show also what is well")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(function=preflight)


def preflight(options: argparse.Namespace) -> int:
    """Exit code 1 where the risk is high or critical."""
    source = options.source.absolute()
    target = target_of(source, options.target.absolute())
    result = run(EVERY, Operation(source, target, places_of(options), options.keep_source))
    if options.json:
        findings = [asdict(one) | {"weight": one.weight.value, "outcome": one.outcome.value} for one in result.findings]
        known = {"passed": result.passed, "total": result.total, "risk_level": result.risk.value}
        say(json.dumps({**known, "findings": findings}, indent=2))
    else:
        ordered = sorted(result.findings, key=lambda one: CATEGORIES.index(one.category))
        shown = [one for one in ordered if options.all or one.outcome in (Outcome.FAILED, Outcome.UNKNOWN)]
        rows = [(one.outcome.value, one.check, one.seen, one.expected, one.remedy) for one in shown]
        if rows:
            show_table(("", "CHECK", "SEEN", "EXPECTED", "WHAT TO DO"), rows)
        say(f"{result.passed} of {result.total} checks passed, risk {result.risk.value}")
    return FAILED if result.risk in (Risk.HIGH, Risk.CRITICAL) else DONE
