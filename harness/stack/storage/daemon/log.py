"""What happens, as JSON lines."""

import json
import sys
from datetime import UTC, datetime
from typing import TextIO


class LineLog:
    """One line an event: when (UTC), what, and its fields."""

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        self._stream = stream

    def __call__(self, event: str, **fields: object) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        print(json.dumps({"at": at, "event": event, **fields}, default=str), file=self._stream, flush=True)
