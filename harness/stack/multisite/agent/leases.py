"""How long each exclusive container may run: a file each, written by the agent, read by the guard.

Times are those of CLOCK_BOOTTIME, which goes on while a machine sleeps; the files lie where a restart empties.
"""

import time
from collections.abc import Iterable
from pathlib import Path

ENDING = ".lease"


def now_s() -> float:
    """The clock of all leases of this machine."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Leases:
    """A folder of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def renew(self, container: str, until_s: float) -> None:
        """It may run until then. Raises OSError."""
        fresh = self._folder / f"{container}.new"
        fresh.write_text(repr(until_s))
        fresh.replace(self._folder / f"{container}{ENDING}")

    def only(self, containers: Iterable[str]) -> None:
        """Forget all others, which are gone."""
        kept = {f"{one}{ENDING}" for one in containers}
        for path in self._folder.glob(f"*{ENDING}"):
            if path.name not in kept:
                path.unlink(missing_ok=True)

    def all(self) -> dict[str, float]:
        """Container -> until when it may run. One that cannot be read is over."""
        found: dict[str, float] = {}
        for path in self._folder.glob(f"*{ENDING}"):
            try:
                found[path.name.removesuffix(ENDING)] = float(path.read_text())
            except FileNotFoundError:
                continue
            except ValueError:
                found[path.name.removesuffix(ENDING)] = 0.0
        return found
