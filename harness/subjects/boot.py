"""Programs that a node starts at boot."""

from harness.engines.engine import NodeFile

EXECUTABLE = 0o755


def starts_at_boot(order: int, name: str, *commands: str) -> NodeFile:
    """A script of /etc/boot.d: the last command takes the script's place, so that it gets the signals."""
    *before, last = commands
    lines = ["#!/bin/sh", *before, f"exec {last}"]
    return NodeFile(f"/etc/boot.d/{order}-{name}", ("\n".join(lines) + "\n").encode(), EXECUTABLE)
