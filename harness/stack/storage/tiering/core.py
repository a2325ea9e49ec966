"""Which storage class each volume is to have, by how it is used. Pure.

Three rules come before what use asks for: no class of fewer copies than were declared for the volume, nothing at all
while chunks are endangered or still being copied, and no more in a day than the budget. A class that is none of the
tiers was somebody's choice, and stays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class StorageClass:
    """As a master has it."""

    name: str
    copies: int
    """Of a chunk, in whichever state of the class it has fewest; k + m parts count as m + 1: they survive m losses."""
    fulfilled: bool = True
    """There are servers for it, with room."""


@dataclass(frozen=True, slots=True)
class Tier:
    """What a volume gets that nobody has used for so long."""

    storage_class: str
    idle_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Policy:
    """The tiers, the hottest first, and how much may be done for them."""

    tiers: tuple[Tier, ...]
    busy_bytes_per_s: float = 1 << 20
    """Whoever moves so much is hot, whatever the times of the file say."""
    margin: float = 0.25
    """How far beyond a border a volume has to be before it crosses it: one that is at the border stays."""
    stay_s: float = 7 * DAY_S
    """How long a volume keeps what it got."""
    most_changes: int = 4
    """In a day."""
    most_bytes: int = 1 << 40
    """In a day: of volumes, times the copies that they get. One that is larger goes alone."""


@dataclass(frozen=True, slots=True)
class Volume:
    """One, as it is used."""

    path: str
    storage_class: str
    """Empty where its files have several."""
    size_bytes: int
    idle_s: float
    bytes_per_s: float = 0.0
    least_copies: int = 1
    changed_ago_s: float | None = None
    """Since it got its class from us, or somebody refused that it gets another."""
    asked: bool = False
    """Whether a change of it is under way, or waits for a person."""


@dataclass(frozen=True, slots=True)
class Past:
    """What came of a volume before."""

    changed_ago_s: float | None = None
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Cluster:
    """What a master says of itself."""

    missing: int = 0
    endangered: int = 0
    undergoal: int = 0
    classes: Mapping[str, StorageClass] = field(default_factory=dict)
    error: str = ""
    """Why it cannot be asked."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Of the budget, in the last day."""

    changes: int = 0
    size_bytes: int = 0


UNSPENT = Spent()


@dataclass(frozen=True, slots=True)
class Change:
    """One that is due."""

    path: str
    before: str
    after: str
    least_copies: int
    cost_bytes: int
    why: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A volume that stays as it is."""

    path: str
    storage_class: str
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What is due now, and what is not."""

    changes: tuple[Change, ...] = ()
    kept: tuple[Kept, ...] = ()
    waits: str = ""
    """Why nothing at all is changed now."""


NOTHING = Plan()


def unsafe(cluster: Cluster) -> str:
    """Why no class of anything may be changed now; empty where it may."""
    if cluster.error:
        return cluster.error
    if cluster.missing or cluster.endangered:
        return f"{cluster.missing} chunks are missing and {cluster.endangered} endangered: they come first"
    if cluster.undergoal:
        return f"{cluster.undergoal} chunks have fewer copies than they are to have: MooseFS is at it"
    return ""


def unfit(cluster: Cluster, name: str, least_copies: int) -> str:
    """Why a volume may not get this class; empty where it may."""
    found = cluster.classes.get(name)
    if found is None:
        return f"there is no class {name}"
    if found.copies < least_copies:
        return f"{name} has {found.copies} copies, and {least_copies} are the least"
    return "" if found.fulfilled else f"there are not enough servers with room for {name}"


def decide(policy: Policy, volumes: Sequence[Volume], cluster: Cluster, spent: Spent = UNSPENT) -> Plan:
    """What is due, the most urgent first: too few copies, then what is used, then what was left longest."""
    waits = unsafe(cluster)
    kept: list[Kept] = []
    due: list[tuple[tuple[int, float], Change]] = []
    for volume in volumes:
        found = _due(policy, volume, cluster)
        if isinstance(found, Kept):
            kept.append(found)
        else:
            due.append((_urgency(policy, volume, cluster, found), found))
    changes: list[Change] = []
    left, left_bytes = policy.most_changes - spent.changes, policy.most_bytes - spent.size_bytes
    for _, change in sorted(due, key=lambda one: (one[0], one[1].path)):
        fits = change.cost_bytes <= left_bytes or (spent == UNSPENT and not changes)
        if waits or left <= 0 or not fits:
            why = waits or "the budget of the day is spent"
            kept.append(Kept(change.path, change.before, f"{change.after} is due ({change.why}), but {why}"))
            continue
        changes.append(change)
        left, left_bytes = left - 1, left_bytes - change.cost_bytes
    return Plan(tuple(changes), tuple(sorted(kept, key=lambda one: one.path)), waits)


def _urgency(policy: Policy, volume: Volume, cluster: Cluster, change: Change) -> tuple[int, float]:
    if cluster.classes[change.before].copies < volume.least_copies:
        return 0, -volume.idle_s
    names = [one.storage_class for one in policy.tiers]
    return (1 if names.index(change.after) < names.index(change.before) else 2), -volume.idle_s


def _due(policy: Policy, volume: Volume, cluster: Cluster) -> Change | Kept:
    def kept(why: str) -> Kept:
        return Kept(volume.path, volume.storage_class, why)

    names = [one.storage_class for one in policy.tiers]
    if not volume.storage_class:
        return kept("its files have several classes: somebody chose them")
    if volume.storage_class not in names:
        return kept(f"{volume.storage_class} is none of the tiers: somebody chose it")
    if volume.asked:
        return kept("a change of it is under way, or waits for a person")
    current = names.index(volume.storage_class)
    known = cluster.classes.get(volume.storage_class)
    if known is None:
        return kept(cluster.error or f"the master does not know {volume.storage_class}")
    wanted, why = _wanted(policy, volume, current)
    too_few = known.copies < volume.least_copies
    if too_few:
        order = sorted(range(len(names)), key=lambda index: (abs(index - wanted), index))
        why = f"{volume.storage_class} has {known.copies} copies, and {volume.least_copies} are the least"
    elif wanted == current:
        return kept(why)
    elif volume.changed_ago_s is not None and volume.changed_ago_s < policy.stay_s:
        return kept(f"{why}, but it got its class (or a refusal) {_time(volume.changed_ago_s)} ago")
    else:
        order = list(range(wanted, current, 1 if wanted < current else -1))
    reasons = {names[index]: unfit(cluster, names[index], volume.least_copies) for index in order if index != current}
    fit = next((name for name, reason in reasons.items() if not reason), None)
    if fit is None:
        return kept(f"{why}, but {'; '.join(reasons.values())}")
    cost = volume.size_bytes * cluster.classes[fit].copies
    return Change(volume.path, volume.storage_class, fit, volume.least_copies, cost, why)


def _wanted(policy: Policy, volume: Volume, current: int) -> tuple[int, str]:
    """The tier that its use asks for, and why."""
    if volume.bytes_per_s >= policy.busy_bytes_per_s:
        return 0, f"it moves {volume.bytes_per_s / (1 << 20):.1f} MiB/s"
    colder = [
        index
        for index, tier in enumerate(policy.tiers)
        if index > current and volume.idle_s >= tier.idle_s * (1 + policy.margin)
    ]
    said = f"nobody has used it for {_time(volume.idle_s)}"
    if colder:
        return colder[-1], said
    if volume.idle_s <= policy.tiers[current].idle_s * (1 - policy.margin):
        fitting = [index for index, tier in enumerate(policy.tiers) if tier.idle_s <= volume.idle_s]
        wanted = min(current, fitting[-1] if fitting else 0)
        if wanted < current:
            return wanted, f"it was used {_time(volume.idle_s)} ago"
    return current, said


def _time(seconds: float) -> str:
    for unit_s, name in ((DAY_S, "days"), (3600.0, "hours"), (60.0, "minutes")):
        if seconds >= 2 * unit_s:
            return f"{seconds / unit_s:.0f} {name}"
    return f"{seconds:.0f} s"
