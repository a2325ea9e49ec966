"""What Corosync says of itself when it does not start: its own words, out of its log. Pure."""

import re

_LINE = re.compile(
    r"(?:^|\s)(?P<level>emerg|alert|crit|error|warning|notice|info|debug)?\s*\[(?P<part>[A-Z]+)\s*\]\s+(?P<words>.+)$"
)
_BAD = frozenset({"emerg", "alert", "crit", "error"})
_EXIT = "exiting"


def reason_in(log: str) -> str:
    """The reason why Corosync ended, from what it has written since its start; "" where it says none."""
    found, last = "", ""
    for line in log.splitlines():
        parsed = _LINE.search(line)
        words = parsed["words"].strip() if parsed else line.strip()
        if _EXIT in words:
            continue
        last = words or last
        if parsed and parsed["level"] in _BAD:
            found = words
    return found or last
