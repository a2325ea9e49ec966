"""What happens, as JSON lines."""

import json
import sys
import time
from datetime import UTC, datetime
from typing import TextIO


class LineLog:
    """One line an event: when (``at``, and ``t_s`` of CLOCK_MONOTONIC), what, and its fields."""

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        self._stream = stream

    def __call__(self, event: str, **fields: object) -> None:
        moment = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "t_s": round(time.monotonic(), 3)}
        print(json.dumps({**moment, "event": event, **fields}, default=str), file=self._stream, flush=True)
