"""A program that switches power: `PROGRAM off|on NODE`, and `PROGRAM status NODE`, which prints on or off."""

import subprocess

from .provider import Power, ProviderError
from .settings import CommandAccess

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LONGEST_REASON = 200


class Command:
    """Calls the configured program, which has to end with 0 when it did what it was told."""

    def __init__(self, access: CommandAccess) -> None:
        self._access = access

    def power_off(self, node: str) -> None:
        """`off`: the program may return before the node is off; it is asked for the status then."""
        self._call("off", node)

    def power_on(self, node: str) -> None:
        """`on`."""
        self._call("on", node)

    def power(self, node: str) -> Power:
        """`status`."""
        said = self._call("status", node).strip().lower()
        if said == "on":
            return "on"
        if said == "off":
            return "off"
        raise ProviderError(f"{self._access.program} status {node} said {said[:LONGEST_REASON]!r}, not on or off")

    def _call(self, verb: str, node: str) -> str:
        command = [self._access.program, verb, node]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                timeout=self._access.timeout_s,
                env={"PATH": PATH},
                cwd="/",
            )
        except subprocess.TimeoutExpired as error:
            raise ProviderError(f"{' '.join(command)}: no end within {self._access.timeout_s:g} s") from error
        except OSError as error:
            raise ProviderError(f"{self._access.program} cannot be executed: {error.strerror}") from error
        if done.returncode != 0:
            words = (done.stderr.strip() or done.stdout.strip()).splitlines()
            reason = words[-1][:LONGEST_REASON] if words else f"exit code {done.returncode}"
            raise ProviderError(f"{' '.join(command)}: {reason}")
        return done.stdout
