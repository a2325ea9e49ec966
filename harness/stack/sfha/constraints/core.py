"""Order and colocation, and what follows from them. Pure.

Everything runs on the node that leads, so a colocation is not about choosing a node: ``x with y`` keeps x from being
up anywhere where y is not. An order is about starting: ``x then y`` starts y after x is up, and stops it before x.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Order:
    """``then`` starts after ``first`` is up."""

    first: str
    then: str


@dataclass(frozen=True, slots=True)
class Colocation:
    """``resource`` is up only where, and while, ``other`` is."""

    resource: str
    other: str


Constraint = Order | Colocation


class ConstraintError(Exception):
    """Constraints that cannot be kept; ``index`` says which one closes the circle, or names what is not there."""

    def __init__(self, index: int, key: str, why: str) -> None:
        super().__init__(why)
        self.index, self.key, self.why = index, key, why


@dataclass(frozen=True, slots=True)
class Plan:
    """What the constraints ask for: services in starting order, and for each what it needs, addresses included."""

    order: tuple[str, ...] = ()
    after: Mapping[str, frozenset[str]] = field(default_factory=dict)
    along_with: Mapping[str, frozenset[str]] = field(default_factory=dict)
    binding: frozenset[str] = frozenset()
    """Services that an address is colocated with: where they cannot run, the address must not stay."""


def plan(vips: Sequence[str], services: Sequence[str], constraints: Sequence[Constraint]) -> Plan:
    """Work the constraints out. Raises ConstraintError for unknown names and circles."""
    known = {*vips, *services}
    after: dict[str, set[str]] = {name: set() for name in services}
    along_with: dict[str, set[str]] = {name: set() for name in services}
    binding: set[str] = set()
    # Addresses come up together: an order of two of them asks for nothing, but it must not contradict another one.
    among_vips: dict[str, set[str]] = {name: set() for name in vips}
    for index, constraint in enumerate(constraints):
        _check(index, constraint, known, frozenset(vips))
        match constraint:
            case Order(first, then):
                (after if then in after else among_vips)[then].add(first)
            case Colocation(resource, other):
                if resource in along_with:
                    along_with[resource].add(other)
                elif other in along_with:
                    binding.add(other)
        circle = _circle(services, after, along_with) or _circle(vips, among_vips, {})
        if circle:
            raise ConstraintError(index, _first_key(constraint), f"a circle: {' -> '.join([*circle, circle[0]])}")
    return Plan(
        order=_sorted(services, after, along_with),
        after={name: frozenset(needed) for name, needed in after.items()},
        along_with={name: frozenset(needed) for name, needed in along_with.items()},
        binding=frozenset(binding),
    )


def _first_key(constraint: Constraint) -> str:
    return "order" if isinstance(constraint, Order) else "colocation"


def _check(index: int, constraint: Constraint, known: set[str], vips: frozenset[str]) -> None:
    match constraint:
        case Order(first, then):
            named = {"order": first, "then": then}
        case Colocation(resource, other):
            named = {"colocation": resource, "with": other}
    for key, name in named.items():
        if name not in known:
            raise ConstraintError(index, key, f"there is no VIP or service {name!r}")
    one, two = named.values()
    if one == two:
        raise ConstraintError(index, _first_key(constraint), f"{one!r} cannot depend on itself")
    if isinstance(constraint, Order) and constraint.then in vips and constraint.first not in vips:
        raise ConstraintError(index, "then", f"{constraint.then!r} is a VIP, and VIPs come up before services")


def _needs(name: str, after: Mapping[str, set[str]], along_with: Mapping[str, set[str]]) -> set[str]:
    return (after.get(name, set()) | along_with.get(name, set())) & after.keys()


def _circle(
    names: Sequence[str], after: Mapping[str, set[str]], along_with: Mapping[str, set[str]]
) -> list[str] | None:
    """What waits for each other, in the order in which it would have to start; None without such."""
    done: set[str] = set()

    def search(name: str, path: list[str]) -> list[str] | None:
        if name in path:
            return list(reversed(path[path.index(name) :]))
        if name in done:
            return None
        for needed in sorted(_needs(name, after, along_with)):
            found = search(needed, [*path, name])
            if found:
                return found
        done.add(name)
        return None

    for name in names:
        found = search(name, [])
        if found:
            return found
    return None


def _sorted(
    services: Sequence[str], after: Mapping[str, set[str]], along_with: Mapping[str, set[str]]
) -> tuple[str, ...]:
    """Each after what it needs; otherwise in the order of the configuration."""
    order: list[str] = []
    while len(order) < len(services):
        order.append(
            next(name for name in services if name not in order and _needs(name, after, along_with) <= set(order))
        )
    return tuple(order)
