"""The page about the lease names tests that exist, and has a row for every rule."""

import re
from pathlib import Path

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
