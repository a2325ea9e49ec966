"""What becomes of each packet on a link: whether it is lost, when it arrives, how often, and what of it is changed.

Pure: time and chance are arguments, so that the same seed and the same packets come to the same.
"""

from collections import deque
from collections.abc import Callable, Mapping
from typing import NamedTuple

ETHERNET_BYTES = 14
"""What is in front of every frame: a bit turned there would be another address, and not what links do."""


class Departure(NamedTuple):
    """A packet that leaves at a moment, with this bit of the frame turned (None: as it came)."""

    due_s: float
    bit: int | None


class Pipe:
    """One direction of a link. What is waiting for its rate is all that it remembers, and the last one's moment."""

    def __init__(self, character: Mapping[str, float | int | None], chance: Callable[[], float]) -> None:
        """``character`` is a :class:`harness.character.Character` as plain data; ``chance`` is even in 0 to 1."""
        self._chance = chance
        self._free_s = self._last_due_s = float("-inf")
        self._waiting_until_s: deque[float] = deque()
        said = {name: float(value) for name, value in character.items() if value is not None}
        self._latency_s, self._jitter_s = said["latency_ms"] / 1000, said["jitter_ms"] / 1000
        self._loss, self._duplication, self._corruption, self._reordering = (
            said[f"{what}_percent"] / 100 for what in ("loss", "duplication", "corruption", "reordering")
        )
        self._s_per_byte = 8e-6 / said["rate_mbit"] if "rate_mbit" in said else 0.0
        self._queue = int(said["queue_packets"])

    def departures(self, arrived_s: float, size_bytes: int) -> tuple[Departure, ...]:
        """What becomes of a packet that arrived at this moment; nothing when it is lost."""
        chance = self._chance
        if self._loss and chance() < self._loss:
            return ()
        bit = None
        if self._corruption and chance() < self._corruption and size_bytes > ETHERNET_BYTES:
            bit = (ETHERNET_BYTES + int(chance() * (size_bytes - ETHERNET_BYTES))) * 8 + int(chance() * 8)
        if self._reordering and chance() < self._reordering:
            due_s = arrived_s
        else:
            through_s = self._through_the_rate(arrived_s, size_bytes)
            if through_s is None:
                return ()
            due_s = through_s + self._latency_s
            if self._jitter_s:
                due_s += self._jitter_s * (2 * chance() - 1)
            # Whoever is quicker than the one before him waits for him: routes have queues, which keep the order.
            due_s = self._last_due_s = max(due_s, self._last_due_s)
        departure = Departure(due_s, bit)
        if self._duplication and chance() < self._duplication:
            return (departure, departure)
        return (departure,)

    def _through_the_rate(self, arrived_s: float, size_bytes: int) -> float | None:
        """When the last byte has been sent; None when there is no room left to wait in."""
        if not self._s_per_byte:
            return arrived_s
        waiting = self._waiting_until_s
        while waiting and waiting[0] <= arrived_s:
            waiting.popleft()
        if len(waiting) >= self._queue:
            return None
        begins_s = max(arrived_s, self._free_s)
        if begins_s > arrived_s:
            waiting.append(begins_s)
        self._free_s = begins_s + size_bytes * self._s_per_byte
        return self._free_s


def changed(frame: bytes, bit: int | None) -> bytes:
    """The frame with this bit turned."""
    if bit is None:
        return frame
    place, mask = bit // 8, 1 << (bit % 8)
    return frame[:place] + bytes([frame[place] ^ mask]) + frame[place + 1 :]
