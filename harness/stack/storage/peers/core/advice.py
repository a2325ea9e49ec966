"""Whether a volume may be mapped here, by what other hosts said.

Advice, and no lock: two that map at the same moment have not heard of each other, and who is cut off is not heard.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from .merge import Known
from .report import Migration

Way = tuple[str, str]
"""From which host to which."""


@dataclass(frozen=True, slots=True)
class Advice:
    """Of one volume."""

    verdict: Literal["clear", "warned", "refused"]
    reasons: tuple[str, ...] = ()
    elsewhere: bool = False
    """Whether any other host has it, as it said last: a guest there may be writing to it, also in a migration."""


def advised(
    identity: str, own: str, known: Known, *, declared: Iterable[Migration], now_s: float, after_s: float
) -> Advice:
    """``declared`` are migrations that were declared here; those that peers declared are in what they said.

    A fresh report refuses; one of a host that is silent by now warns, for that host may have died, and its guests are
    wanted elsewhere then. A declared migration from there to here refuses nothing.
    """
    if not identity:
        return Advice("clear")
    refused, warned, declared, elsewhere = [], [], tuple(declared), False
    for name, heard in sorted(known.items()):
        there = next((one for one in heard.report.volumes if one.identity == identity), None)
        if name == own or there is None:
            continue
        elsewhere = True
        if _declared(identity, (name, own), known, declared, now_s):
            continue
        age_s = now_s - heard.at_s
        said = f"{name} has it ({there.stage}, by {there.driver})"
        if age_s <= after_s:
            refused.append(f"{said}, as it said {age_s:.0f} s ago: unmap it there, or declare a migration")
        else:
            warned.append(
                f"{said}, as it said last; it is silent for {age_s:.0f} s, so nobody knows whether it still has"
            )
    if refused:
        return Advice("refused", (*refused, *warned), elsewhere)
    return Advice("warned", tuple(warned), elsewhere) if warned else Advice("clear", elsewhere=elsewhere)


def _declared(identity: str, way: Way, known: Known, here: Iterable[Migration], now_s: float) -> bool:
    source, target = way
    wanted = identity, source, target
    if any((one.identity, one.source, one.target) == wanted and one.left_s > 0 for one in here):
        return True
    heard = known.get(source)
    if heard is None:
        return False
    theirs = heard.report.migrations
    return any((one.identity, one.source, one.target) == wanted and one.left_s > now_s - heard.at_s for one in theirs)


def twice(own: str, known: Known, declared: Iterable[Migration], now_s: float, after_s: float) -> dict[str, str]:
    """Volume of ours -> the host that fresh says that it has the same one, without a migration between the two."""
    mine = known[own].report.volumes if own in known else ()
    declared, found = tuple(declared), {}
    for one in mine:
        for name, heard in sorted(known.items()):
            if name == own or not one.identity or now_s - heard.at_s > after_s:
                continue
            if not any(there.identity == one.identity for there in heard.report.volumes):
                continue
            either = [(name, own), (own, name)]
            if not any(_declared(one.identity, way, known, declared, now_s) for way in either):
                found[one.volume] = name
    return found
