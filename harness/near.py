"""Names that a person may have meant. Pure."""

import difflib
from collections.abc import Iterable


def meant(wrong: str, known: Iterable[str]) -> str:
    """To be put behind what is wrong with a name: the one that is nearest, if any is near."""
    close = difflib.get_close_matches(wrong, sorted(known), n=1)
    return f'; did you mean "{close[0]}"?' if close else ""
