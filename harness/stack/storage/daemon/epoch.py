"""Which start of the daemon this is: each counts for more than those before it, also where its state was lost."""

import json
import time
from pathlib import Path

from ...kit.durable import write_durably


def next_epoch(file: Path, least: int = 0) -> int:
    """Written down before it is used. Raises OSError.

    A host that lost its state goes on by its clock, which is later than any number of starts.
    """
    try:
        before = int(json.loads(file.read_text())["epoch"])
    except (OSError, ValueError, KeyError, TypeError):
        before = 0
    epoch = max(before + 1, int(time.time()), least)
    write_durably(file, json.dumps({"epoch": epoch}))
    return epoch
