"""What other hosts say, or do not say any more."""

from ...autonomy.core import Act
from ..core.declared import Found, Incident, Limits
from ..core.facts import Facts


def mapped_elsewhere(facts: Facts) -> Found:
    """Two hosts have one volume, and nobody declared a migration."""
    for volume, node in facts.elsewhere.items():
        yield volume, f"{node} has it as well, as it says"


def silent_peer(facts: Facts) -> Found:
    """A daemon of the cluster is not heard."""
    for node, for_s in facts.silent_peers.items():
        yield node, "it was never heard" if for_s < 0 else "nothing was heard of it for a while"


INCIDENTS = (
    Incident(
        "mapped-elsewhere",
        "critical",
        mapped_elsewhere,
        "stop whoever uses it on one of the two, and unmap it there: two writers spoil it",
        "let go of what nobody uses",
        Act.UNMAP,
        Limits(tries=2, apart_s=60),
    ),
    Incident("silent-peer", "warning", silent_peer, "is its daemon running, and can its address be reached from here?"),
)
