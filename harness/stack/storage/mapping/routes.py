"""How a volume is reached: chosen once and remembered, so that no failure of the day decides it. Pure but for the file.

A volume that was reached through a device is not reached as a file because its driver happens to be down: that is how
two data paths come to be. Whoever wants another route says so.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, unquote

from ...kit.durable import write_durably
from .ports import PortFailed

FILE = "file"
"""The route without a driver."""


def chosen(asked: str | None, remembered: str | None, absent: Mapping[str, str | None], order: tuple[str, ...]) -> str:
    """The name of the driver, or FILE. ``absent`` says of each driver what it lacks (None: nothing).

    Without anything asked or remembered: the first of ``order`` that can be used, else the file. Raises PortFailed.
    """
    wanted = asked or remembered
    if wanted is None:
        return next((name for name in order if absent[name] is None), FILE)
    lacking = None if wanted == FILE else absent[wanted]
    if lacking is None:
        return wanted
    if asked:
        raise PortFailed(f"{asked} cannot be used: {lacking}")
    raise PortFailed(
        f"it was reached by {remembered}, which cannot be used: {lacking}; "
        "no other way is taken by itself: --driver NAME chooses one"
    )


class Routes:
    """What was chosen for each volume."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def remembered(self, volume: str) -> str | None:
        """The name of the driver, or FILE; None for a volume that never was mapped. Raises PortFailed."""
        path = self._file(volume)
        try:
            found = json.loads(path.read_text())
            return str(found["route"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise PortFailed(f"{path}: {error}") from error

    def by_device(self) -> list[str]:
        """Volumes that are reached by a device, by a driver of any name; what cannot be understood is left."""
        found = []
        for path in sorted(self._folder.glob("*.json")):
            try:
                route = self.remembered(volume := unquote(path.name.removesuffix(".json")))
            except PortFailed:
                continue
            found += [volume] if route not in (None, FILE) else []
        return found

    def remember(self, volume: str, route: str) -> None:
        """Durably. Raises OSError."""
        write_durably(self._file(volume), json.dumps({"route": route}))

    def _file(self, volume: str) -> Path:
        return self._folder / f"{quote(volume, safe='')}.json"
