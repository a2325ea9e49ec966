"""Goes on looking at migrations that brought a guest here, and puts what came of each into the audit log, once."""

import json
import time
from collections.abc import Callable
from pathlib import Path

from ...kit.durable import write_durably
from ..autonomy.core import Level
from ..hook.core.names import store_and_name
from ..hook.looking import PIDS, pid_of
from ..hook.performing import STATES, Guest, step, write_down
from ..peers.migrations import Declared, Migrations
from ..places import Places
from .audit import ITSELF, AuditLog


class Migrating:
    """``look`` is called again and again, by one thread at a time."""

    def __init__(self, places: Places, audit: AuditLog, node: Callable[[], str], pids: Path = PIDS) -> None:
        self._places, self._audit, self._node, self._pids = places, audit, node, pids
        self._told_file = places.state / "daemon" / "migrations.json"
        self._told: dict[str, str] = self._read()
        self._tried: dict[str, int] = {}
        self.every: list[Declared] = []

    def look(self, level: Level) -> None:
        """Raises OSError."""
        migrations = Migrations(self._places.migrations)
        for guest, until_s in self._coming(migrations.every()).items():
            self._follow(guest, level, until_s)
        self.every = migrations.every()
        for one in self.every:
            self._tell(one)

    def _coming(self, every: list[Declared]) -> dict[Guest, float]:
        """Guests on their way here whose process is here already -> when their time is over."""
        found: dict[Guest, float] = {}
        for one in every:
            if one.state != "declared" or not one.vm or one.target != self._node():
                continue
            pid = pid_of(one.vm, (self._pids,))
            if pid is not None:
                guest = Guest(one.vm, one.source, one.target, pid)
                found[guest] = max(one.until_s, found.get(guest, 0.0))
        return found

    def _follow(self, guest: Guest, level: Level, until_s: float) -> None:
        time_left = time.time() < until_s
        ended = step(self._places, guest, level, time_left=time_left, tried=self._tried, warn=self._ignore)
        if ended.verdict in STATES:
            write_down(self._places, guest, ended)

    def _ignore(self, line: str) -> None:
        """What is warned of is in what is written down."""

    def _tell(self, one: Declared) -> None:
        if self._told.get(one.id) == one.state:
            return
        storeid, volname = store_and_name(one.volume)
        known = {"migration": one.id, "vm": one.vm, "source": one.source, "target": one.target}
        detail = known | {"storeid": storeid, "volname": volname, "mapping": one.mapping, "state": one.state}
        what = "migration declared" if one.state == "declared" else "migration_complete"
        self._audit.write(ITSELF, what, one.said, **detail)
        self._told = {each.id: self._told[each.id] for each in self.every if each.id in self._told}
        self._told[one.id] = one.state
        write_durably(self._told_file, json.dumps(self._told))

    def _read(self) -> dict[str, str]:
        try:
            found = json.loads(self._told_file.read_text())
            return {str(name): str(state) for name, state in found.items()}
        except (OSError, ValueError, AttributeError):
            return {}
