"""Where a node stands, as far as fencing is concerned."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outlook:
    """What this node concludes: whether it leads, has quorum, who is a member, and who of them is not heard."""

    leads: bool
    quorate: bool
    members: frozenset[int]
    silent: frozenset[int] = frozenset()
