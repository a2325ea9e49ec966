"""What is believed of each backend, and which of a pool take traffic. Pure.

A look ends in one of three ways: the backend *answered* well, it *refused* (its own machine said no: nothing listens,
or an answer that is not 2xx), or there was *silence*. What it refuses is its own word, and is believed at once. Silence
may be ours: it takes ``fall`` looks in a row, and from an observer that hears nobody at all it takes out at most half
of a pool. A verdict is a lease: unless looks renew it, nothing is known any more, and the backend stays in use.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from ..inventory.snapshot import Backend, Snapshot

Key = tuple[str, str]
"""Service and address."""


class Outcome(Enum):
    """How a look ended."""

    answered = "answered"
    refused = "refused"
    silence = "silence"


class Verdict(Enum):
    """What is believed. ``unknown`` takes traffic: nobody has seen that it does not work."""

    up = "up"
    down = "down"
    unknown = "unknown"


@dataclass(frozen=True, slots=True)
class Rules:
    """Looks in a row until silence counts (``fall``), until a backend is trusted again (``rise``); the lease."""

    fall: int = 2
    rise: int = 2
    lease_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often a backend is asked, how long it has, and how many are asked at once."""

    interval_s: float = 1.0
    timeout_s: float = 2.0
    at_once: int = 200
    sample_s: float = 60.0
    """How often a look without news goes into the history."""


@dataclass(slots=True)
class _Believed:
    verdict: Verdict = Verdict.unknown
    outcome: Outcome = Outcome.answered
    in_a_row: int = 0
    seen_s: float = 0.0
    silent_since_s: float = 0.0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Rotation:
    """Who takes traffic now: the backends in use, and the services that have none.

    ``silent`` are addresses that are down because nothing is heard from them: what was sent there waits in vain.
    """

    out: frozenset[Key] = field(default_factory=frozenset)
    empty: frozenset[str] = field(default_factory=frozenset)
    silent: frozenset[str] = field(default_factory=frozenset)


class HealthCore:
    """Told of looks, it knows the verdicts; asked for the rotation, it adds drain, priorities and the rule of half."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._snapshot = Snapshot()
        self._believed: dict[Key, _Believed] = {}

    def watch(self, snapshot: Snapshot) -> None:
        """From now on these backends; what is believed of those that stay is kept."""
        same = {one.key: one for one in self._snapshot.backends}
        kept = {
            one.key
            for one in snapshot.backends
            if one.key in same and same[one.key].health == one.health and not same[one.key].idle
        }
        self._believed = {
            one.key: self._believed[one.key] if one.key in kept else _Believed() for one in snapshot.backends
        }
        self._snapshot = snapshot

    def looked(self, key: Key, outcome: Outcome, detail: str, now_s: float) -> Verdict | None:
        """A look has ended; gives the verdict where it is another than before. Unknown backends are ignored."""
        one = self._believed.get(key)
        if one is None:
            return None
        before = self._current(one, now_s)
        in_a_row = one.outcome is outcome and now_s - one.seen_s <= self._rules.lease_s
        one.in_a_row = one.in_a_row + 1 if in_a_row else 1
        if outcome is Outcome.silence and (one.outcome is not outcome or one.in_a_row == 1):
            one.silent_since_s = now_s
        one.outcome, one.seen_s, one.detail = outcome, now_s, detail
        one.verdict = self._judged(before, one)
        return one.verdict if one.verdict is not before else None

    def verdict(self, key: Key, now_s: float) -> Verdict:
        """What is believed of it."""
        one = self._believed.get(key)
        return Verdict.unknown if one is None else self._current(one, now_s)

    def rotation(self, now_s: float) -> Rotation:
        """Who takes traffic. The best priority that has somebody takes all of it."""
        verdicts = {key: self._current(one, now_s) for key, one in self._believed.items()}
        blind = not any(one is Verdict.up for one in verdicts.values())
        out: set[Key] = set()
        empty: set[str] = set()
        silent: set[str] = set()
        for service in self._snapshot.services:
            pool = [one for one in service.backends if one.weight > 0 and not one.idle]
            down = {one.key for one in pool if verdicts[one.key] is Verdict.down}
            if blind:
                down -= self._kept_in_spite_of_silence(pool, down)
            silent |= {key[1] for key in down if self._believed[key].outcome is Outcome.silence}
            usable = [one for one in pool if one.key not in down and not one.draining]
            # Rather those that are to be drained than nobody.
            usable = usable or [one for one in pool if one.key not in down]
            best = min((one.priority for one in usable), default=0)
            taken = {one.key for one in usable if one.priority == best}
            out |= {one.key for one in service.backends if one.weight > 0} - taken
            if not taken:
                empty.add(service.name)
        return Rotation(frozenset(out), frozenset(empty), frozenset(silent))

    def _kept_in_spite_of_silence(self, pool: Iterable[Backend], down: set[Key]) -> set[Key]:
        """An observer that hears nobody may be the one who is cut off: so that half of the pool stays, those that fell
        silent last."""
        members = list(pool)
        refused = [key for key in down if self._believed[key].outcome is not Outcome.silence]
        silent = sorted(
            (key for key in down if self._believed[key].outcome is Outcome.silence),
            key=lambda key: (self._believed[key].silent_since_s, key),
        )
        may_go = max(0, len(members) // 2 - len(refused))
        return set(silent[may_go:])

    def _judged(self, before: Verdict, one: _Believed) -> Verdict:
        if one.outcome is Outcome.answered:
            # What was never seen down needs no proof of recovery.
            enough = 1 if before is Verdict.unknown else self._rules.rise
            return Verdict.up if before is Verdict.up or one.in_a_row >= enough else before
        enough = 1 if one.outcome is Outcome.refused else self._rules.fall
        return Verdict.down if one.in_a_row >= enough else before

    def _current(self, one: _Believed, now_s: float) -> Verdict:
        return Verdict.unknown if now_s - one.seen_s > self._rules.lease_s else one.verdict
