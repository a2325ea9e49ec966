"""A server's shell, over SSH: by key only, nothing of a script on any command line."""

import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..inventory.core import Server
from ..plan.core import Carried
from ..plan.script import incoming

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

    def command(self, server: Server, on_server: str = "sh -s") -> tuple[str, ...]:
        """The command that has a server do this, with its standard input: as it is, that reads a script."""
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
        as_root = on_server if self.user == "root" else f"sudo -n {on_server}"
        return ("ssh", "-i", str(self.key), *words, f"{self.user}@{server.address}", as_root)

    def send(self, server: Server, one: Carried) -> None:
        """Send a file to beside its place, whatever its size. Raises Unreachable, ScriptFailed, OSError."""
        with open(one.source, "rb") as file:
            done = subprocess.run(
                self.command(server, f"sh -c {shlex.quote(incoming(one))}"),
                stdin=file,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        _raise_of(done.returncode, done.stderr)

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
        _raise_of(process.returncode, reason)


def _raise_of(code: int, reason: str) -> None:
    if code == _UNREACHABLE:
        raise Unreachable(last_line(reason) or "ssh could not log in")
    if code:
        raise ScriptFailed(last_line(reason) or f"exit code {code}")


def last_line(text: str) -> str:
    """The last of its lines that says anything."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
