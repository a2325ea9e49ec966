"""What this host says of itself to its peers."""

import math
import secrets
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from .. import VERSION
from ..incidents.catalogue import BY_NAME
from ..incidents.core.engine import Watched
from ..mapping.records import Records
from ..mounts import mounts
from ..moves.running import Unfinished, unfinished
from ..peers.core.report import MappedVolume, Moving, Report, Trouble, bounded
from ..peers.migrations import Migrations
from ..peers.view import identity
from ..places import Places
from .epoch import next_epoch

ROUNDED_S = 5.0
"""What is left of a migration is said in such steps: each is news for all."""


class OwnReport:
    """``now`` is what is said; ``look`` brings it up to date."""

    def __init__(self, places: Places, name: str, shared: tuple[str, ...]) -> None:
        self._places, self._shared = places, shared
        self._epoch_file = places.state / "daemon" / "epoch.json"
        self.now = Report(name, next_epoch(self._epoch_file), 0, secrets.token_hex(8), VERSION)
        self._seen: object = None
        self._moving: tuple[Unfinished, ...] = ()

    def changed(self) -> bool:
        """Whether anything was written since the last look; cheap, for it is asked several times a second."""
        return self._signature() != self._seen

    def look(self, level: int, watched: Iterable[Watched]) -> bool:
        """Whether there is anything new to say. Raises OSError."""
        # Seen before it is read: what is written meanwhile is read again next time.
        seen, self._moving = self._signature(), tuple(unfinished(self._places))
        found = self._report(level, watched)
        self._seen = seen
        if found == self.now:
            return False
        self.now = replace(found, sequence=self.now.sequence + 1)
        return True

    def outbid(self, epoch: int) -> None:
        """Count for more than that. Raises OSError."""
        self.now = replace(self.now, epoch=next_epoch(self._epoch_file, epoch + 1))

    def _signature(self) -> object:
        folders = (self._places.mappings, self._places.journals, self._places.migrations)
        files = [one.journal for one in self._moving]
        return tuple(_time_of(one) for one in (*folders, *files))

    def _report(self, level: int, watched: Iterable[Watched]) -> Report:
        table = mounts()
        records, _bad = Records(self._places.mappings).readable()
        volumes, more = bounded(
            [
                MappedVolume(
                    one.volume, identity(one.volume, self._shared, table), one.driver, one.index, one.stage.value
                )
                for one in records
            ],
            "volumes",
        )
        going = [one.move for one in self._moving if one.move is not None]
        moves, more_moves = bounded([Moving(one.id, one.source, one.target, one.phase.value) for one in going], "moves")
        incidents, more_incidents = bounded([_trouble(one) for one in watched], "incidents")
        migrations, _ = bounded(Migrations(self._places.migrations).open(time.time()), "migrations")
        return replace(
            self.now,
            level=level,
            volumes=volumes,
            moves=moves,
            incidents=incidents,
            migrations=tuple(replace(one, left_s=math.ceil(one.left_s / ROUNDED_S) * ROUNDED_S) for one in migrations),
            more=more + more_moves + more_incidents,
        )


def _trouble(one: Watched) -> Trouble:
    case = one.case
    return Trouble(case.incident, case.subject, BY_NAME[case.incident].severity, one.stage.value)


def _time_of(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size
