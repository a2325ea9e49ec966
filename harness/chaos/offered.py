"""What the faults of the catalogue offer to plans, read from what they declare."""

from collections.abc import Sequence
from functools import cache

from harness.errors import UsageError
from harness.faults.catalogue import catalogue
from harness.faults.declaration import Aim, Declaration, Parameter, Quantity
from harness.near import meant
from harness.plans.offers import AimKind, Amount, Group, Offer, Words

_KINDS: dict[str, AimKind] = {"SITE": "sites", "GROUP": "group", "VIP": "vip"}
_POWER = ("kill", "torn-write")
"""What leaves a node without processes: nothing else can be shown on it meanwhile."""
_FORGES = ("packets",)
"""A family whose faults lie on the wire: what clients see then is no promise of the cluster."""
_OF_THE_HOST = ("noisy-neighbour",)
"""What takes from the harness as well, and from other runs: only where it is asked for."""


@cache
def offers() -> dict[str, Offer]:
    """Every fault there is, by its name."""
    return {name: _offer(declaration) for name, declaration in catalogue().items()}


def chosen(names: Sequence[str]) -> tuple[Offer, ...]:
    """The offers of these faults or families; without a name, all that any cluster has to bear.

    Raises UsageError for a name that is neither.
    """
    known = offers()
    if not names:
        return tuple(one for one in known.values() if one.family not in _FORGES and one.name not in _OF_THE_HOST)
    families = {one.family for one in known.values()}
    for name in names:
        if name not in known and name not in families:
            there_are = f"families {', '.join(sorted(families))}; faults {', '.join(known)}"
            raise UsageError(
                f"there is no fault or family {name}; there are: {there_are}{meant(name, (*families, *known))}"
            )
    return tuple(one for one in known.values() if one.name in names or one.family in names)


def _offer(declaration: Declaration) -> Offer:
    return Offer(
        name=declaration.name,
        family=declaration.family,
        group=_group(declaration),
        aims=tuple(_kind(one) for one in declaration.aims),
        options=tuple(_option(one) for one in declaration.options),
        variadic=any(one.variadic for one in declaration.aims),
    )


def _group(declaration: Declaration) -> Group:
    if declaration.name in _POWER:
        return "power"
    if declaration.family in ("network", "site"):
        return "network"
    return "packets" if declaration.family == "packets" else "node"


def _kind(one: Parameter) -> AimKind:
    assert isinstance(one.says, Aim)
    if one.says.word == "NODE":
        return "nodes" if one.says.several else "endpoint"
    return _KINDS.get(one.says.word, "told")


def _option(one: Parameter) -> Amount | Words:
    if isinstance(one.says, Quantity):
        says = one.says
        return Amount(one.name, says.unit, says.at_least, says.at_most, one.of is int, not one.required)
    assert not isinstance(one.says, Aim)
    return Words(one.name, one.says.words)
