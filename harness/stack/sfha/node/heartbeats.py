"""Sending heartbeats: at a steady rate, and at once when they say something new."""

from collections.abc import Callable

from ..election.core import Heartbeat

LATEST = 1.25
"""How many times its usual pause a heartbeat waits for something else to be done. A node that is awake anyway sends it
at little cost, and whom a request or a vote of that moment wakes hears it at little cost, too."""


class Heartbeats:
    """The heartbeats of one node."""

    def __init__(self, send: Callable[[int | None, Heartbeat], None], every_s: float, now_s: float) -> None:
        self.due_s = self._ready_s = now_s
        self._send, self._every_s = send, every_s
        self.next = 1
        """The number of the next one."""
        self._last: Heartbeat | None = None

    def is_ready(self, now_s: float) -> bool:
        """Whether the next one goes with whatever is done now."""
        return now_s >= self._ready_s

    def say(self, beat: Heartbeat, now_s: float) -> None:
        """Send it if it is ready, or says something new."""
        if self._last is None or self.is_ready(now_s) or beat.says != self._last.says:
            self.next += 1
            self._last, self._ready_s, self.due_s = beat, now_s + self._every_s, now_s + LATEST * self._every_s
            self._send(None, beat)
