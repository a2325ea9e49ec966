"""Running a command in this process, and a status to answer with."""

from typing import Any

from harness.stack.sfha.cli import main

STATUS: dict[str, Any] = {
    "cluster": "demo",
    "node": "n1",
    "node_id": 1,
    "profile": "fast",
    "ready": True,
    "standby": False,
    "quorate": True,
    "members": [1, 2],
    "ring": 7,
    "leader": 1,
    "leader_name": "n1",
    "active": True,
    "lease": "holding",
    "promised_to": 1,
    "gate_egress": True,
    "broken_on_purpose": [],
    "vips": [
        {"name": "web", "address": "10.0.0.100", "interface": "eth0", "held": True, "present": True, "error": None}
    ],
    "peers": [],
    "nodes": [
        {"name": "n1", "node_id": 1, "online": True, "sfhaRunning": True, "standby": False, "leader": True},
        {"name": "n2", "node_id": 2, "online": True, "sfhaRunning": False, "standby": False, "leader": False},
        {"name": "n3", "node_id": 3, "online": False, "sfhaRunning": False, "standby": False, "leader": False},
    ],
}


def run(*arguments: str) -> int:
    """The exit code of a command; usage errors included."""
    try:
        return main.main(arguments)
    except SystemExit as end:
        return int(end.code or 0)
