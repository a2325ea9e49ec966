"""What happens while a plan runs, as steps wait for it: differences between two looks at the cluster. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from harness.plans.plan import EventName


@dataclass(frozen=True, slots=True)
class Look:
    """A cluster at one moment, as seen from outside."""

    holders: tuple[str, ...]
    """Of the first virtual address."""
    quorate: frozenset[str]
    powered: frozenset[str]


@dataclass(slots=True)
class Moments:
    """Told of one look after the other, says what happened since the last."""

    _last: Look | None = None
    _last_holder: str = ""

    def since_last(self, now: Look) -> tuple[EventName, ...]:
        """What is new; nothing at the first look."""
        before, self._last = self._last, now
        found = () if before is None else tuple(self._of_holder(before, now)) + tuple(_of_nodes(before, now))
        if len(now.holders) == 1:
            self._last_holder = now.holders[0]
        return found

    def _of_holder(self, before: Look, now: Look) -> Iterator[EventName]:
        if before.holders and not now.holders:
            yield "holder-lost"
        if now.holders and not before.holders:
            yield "holder-appears"
        if len(now.holders) == 1 and self._last_holder and now.holders[0] != self._last_holder:
            yield "holder-moved"


def _of_nodes(before: Look, now: Look) -> Iterator[EventName]:
    if before.quorate - now.quorate:
        yield "quorum-lost"
    if now.quorate - before.quorate:
        yield "quorum-regained"
    if before.powered - now.powered:
        yield "node-lost"
    if now.powered - before.powered:
        yield "node-returns"
