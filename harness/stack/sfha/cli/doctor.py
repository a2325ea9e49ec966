"""`sfha doctor`: what is wrong with this node, and what to do about it."""

import argparse
from typing import TYPE_CHECKING

from ...kit.speech import said, text
from .errors import DONE, FAILED
from .frame import add_command

if TYPE_CHECKING:
    from .frame import Subparsers
    from .output import Output, Style


def register(subparsers: "Subparsers") -> None:
    """Add the command."""
    add_command(subparsers, "doctor", _doctor, data=True)


def _doctor(options: argparse.Namespace) -> int:
    from ..doctor.core import examine, is_well
    from ..doctor.facts import gather

    output: Output = options.output
    findings = examine(gather())
    well = is_well(findings)
    shown = [
        {"severity": one.severity, "about": one.about, "key": one.what.key, "text": said(one.what)} for one in findings
    ]
    output.document({"ok": well, "findings": shown})
    marks: dict[str, tuple[str, Style]] = {
        "wrong": ("bad", "red"),
        "doubtful": ("warning", "yellow"),
        "unknown": ("step", "blue"),
        "well": ("done", "green"),
    }
    for one in findings:
        about = "" if one.severity == "well" else f"{text(f'doctor.about.{one.about}')}: "
        output.marked(*marks[one.severity], about + said(one.what))
    return DONE if well else FAILED
