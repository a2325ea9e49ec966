"""Sending heartbeats: at a steady rate, and at once when they say something new."""

from collections.abc import Callable
from dataclasses import replace

from . import wire
from .election.core import Heartbeat


class Beats:
    """The heartbeats of one node."""

    def __init__(self, send: Callable[[int | None, bytes], None], every_s: float, now_s: float) -> None:
        self.due_s = now_s
        self._send, self._every_s = send, every_s
        self._sequence = 0
        self._last: Heartbeat | None = None

    def say(self, beat: Heartbeat, now_s: float) -> None:
        """Send it if it is due, or says something new."""
        if self._last is None or now_s >= self.due_s or _says(beat) != _says(self._last):
            self._sequence += 1
            self._last, self.due_s = beat, now_s + self._every_s
            self._send(None, wire.encode(replace(beat, sequence=self._sequence)))


def _says(beat: Heartbeat) -> tuple[object, ...]:
    """What is worth telling at once; the rest changes with every heartbeat."""
    duty = beat.duty
    own = (beat.standby, beat.ready, beat.quorate, beat.ring, beat.leader, beat.epoch)
    return (*own, duty.draining, duty.ailing, duty.revision, duty.wish.stamp)
