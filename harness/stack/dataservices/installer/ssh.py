"""A server's shell, over SSH: by key only, nothing of a script on any command line."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..inventory.core import Server

CONNECT_WITHIN_S = 5
_UNREACHABLE = 255
"""ssh's own exit code; everything else is the script's."""


class Unreachable(Exception):
    """The server could not be logged in to: nothing is known of what it did."""


class ScriptFailed(Exception):
    """An action does not hold; the message is what the server said."""


@dataclass(frozen=True, slots=True)
class Ssh:
    """How servers are logged in to. A server whose host key is not known, or another one, is not."""

    key: Path
    known_hosts: Path
    user: str = "root"

    def command(self, server: Server) -> tuple[str, ...]:
        """The command that reads a script from its standard input."""
        options = {
            "BatchMode": "yes",
            "ConnectTimeout": str(CONNECT_WITHIN_S),
            # A connection of its own each time: one that is shared says nothing of whether a new one gets in.
            "ControlPath": "none",
            "IdentitiesOnly": "yes",
            "PasswordAuthentication": "no",
            "ServerAliveInterval": "5",
            "ServerAliveCountMax": "3",
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": str(self.known_hosts),
        }
        words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        shell = "sh -s" if self.user == "root" else "sudo -n sh -s"
        return ("ssh", "-i", str(self.key), *words, f"{self.user}@{server.address}", shell)

    def run(self, server: Server, script: str, line: Callable[[str], None]) -> None:
        """Run a script to its end; ``line`` is called with each line that it says. Raises Unreachable, ScriptFailed."""
        with subprocess.Popen(
            self.command(server),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                said, reason = process.communicate(script)
            except BaseException:
                process.kill()
                raise
        for one in said.splitlines():
            line(one)
        if process.returncode == _UNREACHABLE:
            raise Unreachable(last_line(reason) or "ssh could not log in")
        if process.returncode:
            raise ScriptFailed(last_line(reason) or f"exit code {process.returncode}")


def last_line(text: str) -> str:
    """The last of its lines that says anything."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
