"""The structured log: JSON lines with times of CLOCK_MONOTONIC, each written at once."""

import json
import os
import time
from pathlib import Path

LOG_PATH = Path("/var/log/sfha.log")


class EventLog:
    """Appends to a file; one write per event, so that lines of two writers never mix."""

    def __init__(self, node: str, path: Path = LOG_PATH) -> None:
        self._node = node
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)

    def __call__(self, event: str, **fields: object) -> None:
        line = {"t_s": round(time.monotonic(), 6), "node": self._node, "event": event, **fields}
        os.write(self._descriptor, json.dumps(line, default=str).encode() + b"\n")
