"""How each peer stands: whoever was not heard for a while is silent, never well."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from .merge import Known

MISSES = 3
LEAST_S = 5.0
State = Literal["well", "silent", "never heard"]


@dataclass(frozen=True, slots=True)
class Standing:
    """Of one peer."""

    name: str
    state: State
    age_s: float | None
    """Since it is known to have stood by what it said."""
    direct: bool
    """Whether it answered us itself within that time, and not others alone."""


def silent_after_s(every_s: float) -> float:
    """How long a peer may say nothing."""
    return max(LEAST_S, MISSES * every_s)


def standings(
    peers: Sequence[str], known: Known, answered_at_s: Mapping[str, float], now_s: float, after_s: float
) -> tuple[Standing, ...]:
    """All that are expected, heard or not."""
    return tuple(_standing(name, known, answered_at_s, now_s, after_s) for name in peers)


def _standing(name: str, known: Known, answered_at_s: Mapping[str, float], now_s: float, after_s: float) -> Standing:
    heard = known.get(name)
    if heard is None:
        return Standing(name, "never heard", None, direct=False)
    age_s = max(0.0, now_s - heard.at_s)
    answered_s = answered_at_s.get(name)
    direct = answered_s is not None and now_s - answered_s <= after_s
    return Standing(name, "well" if age_s <= after_s else "silent", age_s, direct)
