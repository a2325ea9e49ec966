"""What clusters and nodes may be called. Pure.

The names end up in corosync.conf, which has no quoting: a brace or a line break there is another section or another
key. So whoever takes a name from outside asks here first, before anything is written.
"""

import re

from ...kit.messages import Message, message

LONGEST_BYTES = 400
"""corosync.conf(5) is read in pieces of 511 bytes; the key and its indentation need some of that."""
NODE_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?")
_UNWRITABLE = ("Cc", "Cs", "Zl", "Zp")
"""Control characters, halves of characters, and what ends a line."""


def fault_of_text(text: str) -> Message | None:
    """Why corosync.conf cannot hold this as a value; None where it can."""
    if not text.strip():
        return message("name.empty")
    if not text.isprintable():
        import unicodedata

        if any(unicodedata.category(char) in _UNWRITABLE for char in text):
            return message("name.unwritable", given=ascii(text[:60]))
    brace = next((char for char in text if char in "{}"), None)
    if brace is not None:
        return message("name.brace", given=text[:60], brace=brace)
    length = len(text.encode())
    return message("name.long", length=length, most=LONGEST_BYTES) if length > LONGEST_BYTES else None


def fault_of_node_name(name: str) -> Message | None:
    """Why a node that is founded or joins cannot be called this; None where it can."""
    if NODE_NAME.fullmatch(name):
        return None
    return message("join.bad-name", name=name)
