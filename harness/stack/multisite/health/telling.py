"""When the edge's question for a verdict is answered: at once, or held back until there is news. Pure.

The edge asks at an interval and keeps several questions open, so that news reaches it at once. A question is answered
at once while the edge may not know the verdict yet: just after it changed, for a configuration that has not asked
before, and when no other question is open (the edge has just started).
"""

from dataclasses import dataclass

from ..routing.core import HELD_INTERVALS
from .core import Key, Rotation

SETTLE_INTERVALS = 1.2
"""After this all of the edge's questions have been answered once."""


@dataclass(slots=True)
class _Told:
    since_s: float
    version: str
    open: int = 0


class Telling:
    """What the edge has been told of each backend."""

    def __init__(self) -> None:
        self._rotation = Rotation()
        self._told: dict[Key, _Told] = {}

    @property
    def rotation(self) -> Rotation:
        """The newest."""
        return self._rotation

    def in_use(self, key: Key) -> bool:
        """What the edge is told. Backends that nobody knows are none of our business."""
        return key not in self._rotation.out

    def changed(self, rotation: Rotation, now_s: float) -> frozenset[Key]:
        """There may be news; gives the backends whose open questions are to be answered now."""
        different = self._rotation.out ^ rotation.out
        self._rotation = rotation
        for key in different:
            if key in self._told:
                self._told[key].since_s = now_s
        return frozenset(different)

    def asked(self, key: Key, version: str, interval_s: float, now_s: float) -> bool:
        """A question has come; whether to hold it. If so, say ``closed`` when it is answered or gone."""
        told = self._told.setdefault(key, _Told(now_s, version))
        # Just after the edge was answered at once no question is open either: only later does that mean a new start.
        started = told.open == 0 and now_s - told.since_s >= HELD_INTERVALS * interval_s
        if told.version != version or started:
            told.since_s, told.version = now_s, version
        if now_s - told.since_s < SETTLE_INTERVALS * interval_s:
            return False
        told.open += 1
        return True

    def closed(self, key: Key) -> None:
        """A question that was held is no longer open."""
        self._told[key].open -= 1
