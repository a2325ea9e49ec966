"""Which remedy is tried when, and whether it helped. Pure.

A remedy is tried when its incident was seen several times in a row, the level allows it, nothing else is being done to
the same subject, and its limits are not spent. It has helped when the incident is gone *and* its proof holds; what the
remedy itself says counts for nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from ...autonomy.core import Level, decide
from .declared import Case, Incident
from .facts import Facts

PROOF_WITHIN = 3
"""Looks that a proof may take after its incident is gone."""
Key = tuple[str, str]


class Stage(Enum):
    """Where a case is."""

    SEEN = "seen"
    TOLD = "told"
    """No remedy: a person has to."""
    NOT_ALLOWED = "not allowed"
    ASKED = "asked"
    """A person has to approve."""
    MENDING = "mending"
    TRIED = "tried"
    GIVEN_UP = "given up"


@dataclass(frozen=True, slots=True)
class Watched:
    """A case that is there."""

    case: Case
    since_s: float
    stage: Stage = Stage.SEEN
    times: int = 0
    """Looks in a row that saw it."""
    gone: int = 0
    """Looks in a row that did not, after a remedy."""
    tries: tuple[float, ...] = ()
    said: str = ""


@dataclass(frozen=True, slots=True)
class Todo:
    """A remedy to be tried now, or (``ask``) a person to be asked."""

    case: Case
    ask: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """A case that is over; ``cured``: a remedy was tried, and the proof holds."""

    watched: Watched
    cured: bool


Known = Mapping[Key, Watched]


def step(
    known: Known,
    facts: Facts,
    now_s: float,
    level: Level,
    *,
    catalogue: Sequence[Incident],
    approved: frozenset[Key] = frozenset(),
) -> tuple[Known, tuple[Todo, ...], tuple[Ended, ...]]:
    """After one look: what is known, what is to be done, what is over."""
    new: dict[Key, Watched] = {}
    todo: list[Todo] = []
    ended: list[Ended] = []
    busy = {watched.case.subject for watched in known.values() if watched.stage is Stage.MENDING}
    for incident in catalogue:
        cases = {case.key: case for case in incident.cases(facts)}
        for key, case in cases.items():
            before = known.get(key) or Watched(case, now_s)
            now = replace(before, case=case, times=before.times + 1, gone=0)
            if now.stage is Stage.MENDING:
                new[key] = now
                continue
            watched, to_do = _next(now, incident, now_s, busy=case.subject in busy)
            if to_do is not None:
                watched, to_do = _asked(watched, now, incident, level, approved=key in approved)
            if to_do is not None and not to_do.ask:
                busy.add(case.subject)
            new[key] = watched
            todo += [to_do] if to_do else []
        for key, before in known.items():
            if key[0] == incident.name and key not in cases:
                watched_or_end = _gone(before, incident, facts)
                if isinstance(watched_or_end, Ended):
                    ended.append(watched_or_end)
                else:
                    new[key] = watched_or_end
    return new, tuple(todo), tuple(ended)


def begun(known: Known, key: Key, now_s: float) -> Known:
    """A remedy that a person approved is tried. Raises KeyError where the case is over."""
    before = known[key]
    return {**known, key: replace(before, stage=Stage.MENDING, tries=(*before.tries, now_s))}


def answered(known: Known, key: Key, said: str) -> Known:
    """A remedy has come to its end, well or not: the next look shows."""
    if key not in known:
        return known
    return {**known, key: replace(known[key], stage=Stage.TRIED, said=said)}


def _next(now: Watched, incident: Incident, now_s: float, *, busy: bool) -> tuple[Watched, Todo | None]:
    """A remedy, where its turn has come; whether it may be tried is asked then."""
    if incident.remedy is None:
        return replace(now, stage=Stage.TOLD, said=incident.advice), None
    if now.times < incident.patience:
        return now, None
    recent = tuple(at_s for at_s in now.tries if now_s - at_s < incident.limits.within_s)
    if len(recent) >= incident.limits.tries:
        return replace(now, stage=Stage.GIVEN_UP), None
    if busy or (recent and now_s - recent[-1] < incident.limits.apart_s):
        return now, None
    return replace(now, stage=Stage.MENDING, tries=(*recent, now_s)), Todo(now.case)


def _asked(
    mending: Watched, before: Watched, incident: Incident, level: Level, *, approved: bool
) -> tuple[Watched, Todo | None]:
    decision = decide(level, incident.act, approved=approved)
    said = "; ".join(decision.reasons)
    if decision.verdict == "blocked":
        return replace(before, stage=Stage.NOT_ALLOWED, said=said), None
    if decision.verdict == "needs approval":
        ask = None if before.stage is Stage.ASKED else Todo(before.case, ask=True)
        return replace(before, stage=Stage.ASKED, said=said), ask
    return mending, Todo(mending.case)


def _gone(before: Watched, incident: Incident, facts: Facts) -> Watched | Ended:
    if before.stage is Stage.MENDING:
        return before
    if not before.tries:
        return Ended(before, cured=False)
    if incident.proof(facts, before.case.subject):
        return Ended(before, cured=True)
    if before.gone + 1 >= PROOF_WITHIN:
        return Ended(replace(before, said=f"gone, but not proven to be well: {before.said}"), cured=False)
    return replace(before, times=0, gone=before.gone + 1)
