"""What a scenario expects of its whole history. Each names a check and its arguments, so that
a stored run can be judged again by the very same expectations."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from harness.events import Json

EVERY_ADDRESS = "*"
"""In what every run of a subject is judged by: each virtual address that was seen in the run."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A check of the registry in :mod:`harness.checks`, with its arguments."""

    check: str
    arguments: dict[str, Json] = field(default_factory=dict)


def each_address(check: str, **arguments: Json) -> Expected:
    """A check of addresses, for every one that was seen in a run: part of what a subject is always judged by."""
    return Expected(check, {"address": EVERY_ADDRESS, **arguments})


def outage_at_most(address: str, limit_s: float) -> Expected:
    """No client goes without an answer from the address for longer than ``limit_s``."""
    return Expected("outage_at_most", {"address": address, "limit_s": limit_s})


def one_holder(address: str, *, hand_over_s: float = 0.0) -> Expected:
    """Never two holders of the address at any instant; ``hand_over_s`` for those that overlap by design."""
    return Expected("one_holder", {"address": address, "hand_over_s": hand_over_s})


def one_answerer(address: str) -> Expected:
    """On the wire, never two nodes answering for the address at a time."""
    return Expected("one_answerer", {"address": address})


def only_the_holder_speaks(address: str) -> Expected:
    """On the wire, no node announcing the address or answering for it while it does not hold it."""
    return Expected("only_the_holder_speaks", {"address": address})


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


def answered_within(limit_s: float, *, share: float = 0.99, key: str | None = None) -> Expected:
    """This share of the acknowledged operations ended within ``limit_s`` of when they were due."""
    return Expected("answered_within", {"limit_s": limit_s, "share": share, "key": key})


def outage_between(address: str, at_least_s: float, at_most_s: float) -> Expected:
    """The longest outage of the address lies in a known range: for measuring the measurement."""
    return Expected("outage_between", {"address": address, "at_least_s": at_least_s, "at_most_s": at_most_s})


def one_writer(service: str) -> Expected:
    """The service never runs on two nodes at a time, by what it writes to a place outside."""
    return Expected("one_writer", {"service": service})


def writing_gap_at_most(service: str, limit_s: float) -> Expected:
    """The service is never silent for longer than ``limit_s``."""
    return Expected("writing_gap_at_most", {"service": service, "limit_s": limit_s})


# --- consistency: ``key`` is that of one object, or of those below it (None: there is nothing else in the history) ---


def linearizable(
    model: Literal["register", "kv", "set", "list", "queue", "counter"], key: str | None = None
) -> Expected:
    """The operations on each object took effect one at a time, each between its call and its return."""
    return Expected(f"linearizable_{model}", {"key": key})


def sequential_register(key: str | None = None) -> Expected:
    """Some order of all operations keeps that of each process and explains every answer."""
    return Expected("sequential_register", {"key": key})


def session_guarantees(key: str | None = None, guarantees: Sequence[str] = ()) -> Expected:
    """Each process saw its own writes and never went back; only these guarantees, if some are named."""
    arguments: dict[str, Json] = {"key": key}
    if guarantees:
        arguments["guarantees"] = [*guarantees]
    return Expected("session_guarantees", arguments)


def exclusive_lock(key: str | None = None, lease_s: float | None = None) -> Expected:
    """No two processes held the lock, or the lease of so many seconds, at the same instant for certain."""
    return Expected("exclusive_lock", {"key": key, "lease_s": lease_s})


def set_complete(key: str | None = None, *, stale_allowed: bool = True) -> Expected:
    """No element that was added is lost, none is there twice, none that nobody added."""
    return Expected("set_complete", {"key": key, "stale_allowed": stale_allowed})


def queue_delivers(
    key: str | None = None,
    *,
    delivery: Literal["exactly-once", "at-least-once"] = "exactly-once",
    ordered: bool = True,
) -> Expected:
    """Every message is delivered, and in the order in which they were enqueued if so asked."""
    return Expected("queue_delivers", {"key": key, "delivery": delivery, "ordered": ordered})


def bank_balances(total: float, key: str | None = None, *, negative_allowed: bool = False) -> Expected:
    """Every read of all accounts has this total, and none below zero."""
    return Expected("bank_balances", {"total": total, "key": key, "negative_allowed": negative_allowed})


def transactions(of: Literal["list", "register"], level: str = "serializable", key: str | None = None) -> Expected:
    """Transactions over lists or registers kept an isolation level, up to "strict-serializable"."""
    return Expected(f"{of}_transactions", {"level": level, "key": key})
