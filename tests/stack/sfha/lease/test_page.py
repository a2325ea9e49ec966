"""The page about the lease names tests that exist, and has a row for every rule and for every change of phase."""

import re
from pathlib import Path

from harness.stack.sfha.lease.phases import TRANSITIONS

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs" / "lease.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| ([^|]+?) \|[^|]*\| ([^|]+) \|$", PAGE, flags=re.MULTILINE))


def test_every_rule_is_broken_on_purpose() -> None:
    rules = set(re.findall(r"^- \*\*([RC]\d)\*\*", PAGE, flags=re.MULTILINE))
    assert len(rules) >= 12
    assert not rules - set(ROWS)


def test_what_notices_it_exists() -> None:
    written = {
        name
        for tree in ("tests", "scenarios")
        for path in (ROOT / tree).rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    }
    named = {name for cell in ROWS.values() for name in re.findall(r"`(test_\w+)`", cell)}
    assert len(named) > 10
    assert not named - written


def test_its_table_of_phases_is_the_one_of_the_code() -> None:
    shown = re.findall(r"^\| (\w+) \| \*([\w-]+)\*: [^|]+ \| (\w+) \|$", PAGE, flags=re.MULTILINE)
    assert shown == [
        (phase.value, turn.value, to.value) for phase, row in TRANSITIONS.items() for turn, to in row.items()
    ]
