"""Which shell a server is reached by: the installer's own is right here."""

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from ..inventory.core import Server
from ..plan.core import Carried
from ..plan.script import incoming
from .install import Shell
from .ssh import ScriptFailed, last_line


@dataclass(frozen=True, slots=True)
class Here:
    """The shell of this machine, as root."""

    def run(self, server: Server, script: str, line: Callable[[str], None]) -> None:
        """Run a script to its end; see Ssh.run. Raises ScriptFailed."""
        command = ["sh", "-s"] if os.geteuid() == 0 else ["sudo", "-n", "sh", "-s"]
        # Who called this may have come by SSH, and by a password: a script must not take that for a key.
        environment = {name: value for name, value in os.environ.items() if name != "SSH_CONNECTION"}
        done = subprocess.run(command, input=script, capture_output=True, text=True, check=False, env=environment)
        for one in done.stdout.splitlines():
            line(one)
        if done.returncode:
            raise ScriptFailed(last_line(done.stderr) or f"exit code {done.returncode}")

    def send(self, server: Server, one: Carried) -> None:
        """Copy a file to beside its place; see Ssh.send. Raises ScriptFailed, OSError."""
        with open(one.source, "rb") as file:
            command = ["sh", "-c", incoming(one)]
            as_root = command if os.geteuid() == 0 else ["sudo", "-n", *command]
            done = subprocess.run(as_root, stdin=file, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ScriptFailed(last_line(done.stderr) or f"exit code {done.returncode}")


@dataclass(frozen=True, slots=True)
class Shells:
    """The installer, on which this runs, by its own shell; all others from it."""

    installer: Server
    others: Shell
    here: Shell = Here()

    def run(self, server: Server, script: str, line: Callable[[str], None]) -> None:
        """Raises Unreachable, ScriptFailed."""
        (self.here if server == self.installer else self.others).run(server, script, line)

    def send(self, server: Server, one: Carried) -> None:
        """Raises Unreachable, ScriptFailed, OSError."""
        (self.here if server == self.installer else self.others).send(server, one)
