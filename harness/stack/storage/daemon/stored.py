"""What the daemon remembers of its own: requests, silences, a level that somebody set; one file, whole or not."""

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from ...kit.durable import write_durably
from ..autonomy.core import Level
from .core.alerts import Silence
from .core.requests import Requests, from_json, to_json


class StateDamaged(Exception):
    """The file cannot be understood; the message says which."""


@dataclass(frozen=True, slots=True)
class State:
    """All of it."""

    level: Level | None = None
    """None: what the settings say."""
    requests: Requests = field(default_factory=Requests)
    silences: tuple[Silence, ...] = ()


class Store:
    """``state`` is what is on the disk."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.state = self._read()

    def _read(self) -> State:
        try:
            found = json.loads(self._file.read_text())
            requests = Requests({one["id"]: from_json(one) for one in found["requests"]})
            level = None if found["level"] is None else Level(found["level"])
            return State(level, requests, tuple(Silence(**one) for one in found["silences"]))
        except FileNotFoundError:
            return State()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StateDamaged(f"{self._file}: {error}: look at it, or move it away") from error

    def change(self, **changes: object) -> None:
        """Durably, before it counts. Raises OSError."""
        new = replace(self.state, **changes)  # type: ignore[arg-type]
        document = {
            "level": None if new.level is None else int(new.level),
            "requests": [to_json(one) for one in new.requests.by_id.values()],
            "silences": [asdict(one) for one in new.silences],
        }
        write_durably(self._file, json.dumps(document, indent=1))
        self.state = new
