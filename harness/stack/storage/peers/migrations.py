"""Migrations of guests that this host knows of, and what came of them: a file each, which outlives a power cut."""

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from ...kit.durable import write_durably
from .core.report import Migration

State = Literal["declared", "complete", "failed", "left over"]
KEPT = 200
FOR_S = 900.0


@dataclass(frozen=True, slots=True)
class Declared:
    """One volume on its way from one host to another."""

    id: str
    volume: str
    identity: str
    vm: str
    source: str
    target: str
    at_s: float
    """When it was declared (UTC)."""
    until_s: float
    """So long both hosts may have it."""
    state: State = "declared"
    said: str = ""
    mapping: str = ""
    """How the volume is reached in the end."""
    ended_at_s: float = 0.0
    driver: str = ""
    """By which it was a device at the source, where that is known."""


@dataclass(frozen=True, slots=True)
class Migrations:
    """``folder`` may not be there yet."""

    folder: Path

    def declare(
        self, volume: str, identity: str, *, vm: str, source: str, target: str, for_s: float, driver: str = ""
    ) -> Declared:
        """Durably. Raises OSError."""
        at_s = time.time()
        name = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(at_s))}-{secrets.token_hex(3)}"
        one = Declared(name, volume, identity, vm, source, target, at_s, at_s + for_s, driver=driver)
        self.write(one)
        self._forget_old()
        return one

    def write(self, one: Declared) -> None:
        """Durably. Raises OSError."""
        write_durably(self.folder / f"{one.id}.json", json.dumps(asdict(one)))

    def every(self) -> list[Declared]:
        """The oldest first; what cannot be understood is left."""
        found = []
        for path in sorted(self.folder.glob("*.json")):
            try:
                document = json.loads(path.read_text())
                found.append(_read(document))
            except (OSError, ValueError, TypeError, KeyError):
                continue
        return found

    def of(self, vm: str, source: str, target: str) -> list[Declared]:
        """Those of a guest on this way that have not ended."""
        wanted = vm, source, target
        return [one for one in self.every() if (one.vm, one.source, one.target) == wanted and one.state == "declared"]

    def open(self, at_s: float) -> list[Migration]:
        """Those that last, for who decides and for peers."""
        lasting = [one for one in self.every() if one.state == "declared" and one.until_s > at_s]
        return [Migration(one.identity, one.source, one.target, min(86400.0, one.until_s - at_s)) for one in lasting]

    def end(self, one: Declared, state: State, said: str, mapping: str) -> Declared:
        """What came of it. Raises OSError."""
        ended = replace(one, state=state, said=said, mapping=mapping, ended_at_s=time.time())
        self.write(ended)
        return ended

    def _forget_old(self) -> None:
        over = [one for one in self.every() if one.state != "declared" or one.until_s < time.time()]
        for one in over[: max(0, len(over) - KEPT)]:
            (self.folder / f"{one.id}.json").unlink(missing_ok=True)


def _read(document: Mapping[str, object]) -> Declared:
    return Declared(**document)  # type: ignore[arg-type]
