"""What a scenario expects of its whole history. Each names a check and its arguments, so that
a stored run can be judged again by the very same expectations."""

from dataclasses import dataclass, field

from harness.events import Json


@dataclass(frozen=True, slots=True)
class Expected:
    """A check of the registry in :mod:`harness.checks`, with its arguments."""

    check: str
    arguments: dict[str, Json] = field(default_factory=dict)


def outage_at_most(address: str, limit_s: float) -> Expected:
    """No client goes without an answer from the address for longer than ``limit_s``."""
    return Expected("outage_at_most", {"address": address, "limit_s": limit_s})


def one_holder(address: str, *, hand_over_s: float = 0.0) -> Expected:
    """Never two holders of the address at any instant; ``hand_over_s`` for those that overlap by design."""
    return Expected("one_holder", {"address": address, "hand_over_s": hand_over_s})


def one_answerer(address: str) -> Expected:
    """On the wire, never two nodes answering for the address at a time."""
    return Expected("one_answerer", {"address": address})


def never_without_quorum(address: str, *, tolerance_s: float | None = None) -> Expected:
    """No holder of the address in a part of the cluster without quorum, be its nodes always the same or not.

    ``tolerance_s``: for how long nevertheless, where that is not the moment that the check allows.
    """
    allowed: dict[str, Json] = {} if tolerance_s is None else {"tolerance_s": tolerance_s}
    return Expected("never_without_quorum", {"address": address, **allowed})


def clients_not_stranded(address: str) -> Expected:
    """No client is left sending to a node that no longer holds the address."""
    return Expected("clients_not_stranded", {"address": address})


def quorum_where_votes_say() -> Expected:
    """Whoever has the votes is quorate, and nobody else, in every settled fault window and at the end."""
    return Expected("quorum_where_votes_say")


def all_agree_afterwards() -> Expected:
    """In the end all nodes see the same, quorate membership and have the same configuration."""
    return Expected("agree_afterwards")


def nothing_lost() -> Expected:
    """Every acknowledged write is held by every member after the heal."""
    return Expected("nothing_lost")


def outage_between(address: str, at_least_s: float, at_most_s: float) -> Expected:
    """The longest outage of the address lies in a known range: for measuring the measurement."""
    return Expected("outage_between", {"address": address, "at_least_s": at_least_s, "at_most_s": at_most_s})


def one_writer(service: str) -> Expected:
    """The service never runs on two nodes at a time, by what it writes to a place outside."""
    return Expected("one_writer", {"service": service})


def writing_gap_at_most(service: str, limit_s: float) -> Expected:
    """The service is never silent for longer than ``limit_s``."""
    return Expected("writing_gap_at_most", {"service": service, "limit_s": limit_s})
