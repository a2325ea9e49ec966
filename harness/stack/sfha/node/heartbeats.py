"""Sending heartbeats: at a steady rate, and at once when they say something new."""

from collections.abc import Callable

from ..election.core import Heartbeat


class Heartbeats:
    """The heartbeats of one node."""

    def __init__(self, send: Callable[[int | None, Heartbeat], None], every_s: float, now_s: float) -> None:
        self.due_s = now_s
        self._send, self._every_s = send, every_s
        self.next = 1
        """The number of the next one."""
        self._last: Heartbeat | None = None

    def say(self, beat: Heartbeat, now_s: float) -> None:
        """Send it if it is due, or says something new."""
        if self._last is None or now_s >= self.due_s or beat.says != self._last.says:
            self.next += 1
            self._last, self.due_s = beat, now_s + self._every_s
            self._send(None, beat)
