"""Tells whom alerts are routed to: the log, or a webhook."""

import json
import urllib.request
from datetime import UTC, datetime

from ...kit.ports import Log
from .core.alerts import Notice
from .settings import LOG_RECEIVER

WITHIN_S = 5.0


def tell(notice: Notice, node: str, log: Log) -> None:
    """Raises OSError where it did not arrive."""
    alert = notice.alert
    said = {
        "node": node,
        "name": alert.name,
        "subject": alert.subject,
        "severity": alert.severity,
        "summary": alert.summary,
        "status": "over" if notice.over else "there",
        "since": datetime.fromtimestamp(notice.since_s, UTC).isoformat(timespec="seconds"),
    }
    if notice.to == LOG_RECEIVER:
        log("alert", **said)
        return
    asked = urllib.request.Request(notice.to, json.dumps(said).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=WITHIN_S) as answer:
        answer.read(1 << 16)
