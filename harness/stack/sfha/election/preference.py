"""A wish for who should lead, for some time: the same on every node as soon as heartbeats have passed. Pure.

The newest wish wins: wishes are ordered by a counter, then by the node that made them, and every heartbeat carries the
newest one known. Its end travels with it as time left, so clocks need not agree; of two ends for one wish the earlier
counts, so all nodes let go of it within a heartbeat's way of each other. A wish changes only who is preferred among
those who may lead: while nodes disagree for a moment, the lease keeps two of them from holding anything.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wish:
    """``target`` should lead for ``left_s`` more seconds; no target takes an earlier wish back."""

    counter: int = 0
    by: int = 0
    target: int | None = None
    left_s: float = 0.0

    @property
    def stamp(self) -> tuple[int, int]:
        """What orders wishes."""
        return self.counter, self.by


class Preference:
    """The newest wish that one node knows."""

    def __init__(self, node: int) -> None:
        self._node = node
        self._stamp = (0, 0)
        self._target: int | None = None
        self._until_s = 0.0

    def wish(self, target: int | None, for_s: float, now_s: float) -> None:
        """A new wish, made here."""
        self._stamp = (self._stamp[0] + 1, self._node)
        self._target, self._until_s = target, now_s + for_s

    def hear(self, wish: Wish, now_s: float) -> bool:
        """Take what a heartbeat carried; True when it changed anything but the end."""
        until_s = now_s + wish.left_s
        if wish.stamp > self._stamp:
            self._stamp, self._target, self._until_s = wish.stamp, wish.target, until_s
            return True
        if wish.stamp == self._stamp:
            self._until_s = min(self._until_s, until_s)
        return False

    def target(self, now_s: float) -> int | None:
        """Who is preferred now."""
        return self._target if now_s < self._until_s else None

    def left_s(self, now_s: float) -> float:
        """How long the wish still counts."""
        return max(0.0, self._until_s - now_s) if self._target is not None else 0.0

    def newest(self, now_s: float) -> Wish:
        """What the next heartbeat carries."""
        return Wish(*self._stamp, self._target, round(max(0.0, self._until_s - now_s), 3))

    def wake_s(self, now_s: float) -> float | None:
        """When it ends."""
        return self._until_s if self.target(now_s) is not None else None
