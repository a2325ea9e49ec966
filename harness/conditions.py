"""What scenarios wait for: conditions on the live view, each with the words for its error message."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from harness.clock import now_s
from harness.errors import UsageError
from harness.live import LiveView


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that comes true, and the words for it in an error message."""

    what: str
    holds: Callable[[LiveView], bool]


def answers(address: str) -> Condition:
    """A connection attempt that was sent after now (the moment of this call) is answered."""
    since_s = now_s()
    return Condition(
        f"{address} answers",
        lambda live: live.last_answer_sent_s(address) > since_s,
    )


def held_by_one_of(address: str, nodes: Iterable[str]) -> Condition:
    """One of these nodes, and nobody else, holds the address, and answers for it."""
    wanted = _names(nodes)

    def holds(live: LiveView) -> bool:
        holders = live.holders(address, now_s())
        return (
            len(holders) == 1
            and wanted.issuperset(holders)
            and live.last_answer_sent_s(address) > min(holders.values())
        )

    return Condition(f"{address} is held, and answered for, by one of {', '.join(sorted(wanted)) or 'no node'}", holds)


def held_by_nobody(address: str) -> Condition:
    """No node holds the address."""
    return Condition(f"nobody holds {address}", lambda live: not live.holders(address, now_s()))


def quorate(nodes: Iterable[str], members: Iterable[str]) -> Condition:
    """Each of ``nodes`` is quorate and sees exactly ``members``."""
    of, seen = _names(nodes), _names(members)
    return Condition(
        f"{', '.join(sorted(of))} see a quorate cluster of {', '.join(sorted(seen))}",
        lambda live: all(live.sees(node, seen) for node in of),
    )


def without_quorum(nodes: Iterable[str]) -> Condition:
    """Each of ``nodes`` says that it has no quorum."""
    of = _names(nodes)
    return Condition(
        f"{', '.join(sorted(of))} know that they have no quorum",
        lambda live: all(node in live.membership and not live.membership[node].quorate for node in of),
    )


def said(nodes: Iterable[str], event: str, /, **fields: Any) -> Condition:
    """Each of ``nodes`` has said this event since it got its power, and when it last did, with these fields."""
    of = _names(nodes)
    words = ", ".join(f"{name} {value}" for name, value in fields.items())
    return Condition(
        f"{', '.join(sorted(of))} said {event}{words and f': {words}'}",
        lambda live: all(live.has_said(node, event, fields) for node in of),
    )


def acknowledged_since(live_now: LiveView, count: int, function: str) -> Condition:
    """``count`` more operations of a function are acknowledged than at the moment of this call."""
    before = live_now.acknowledged_of[function]
    return Condition(
        f"{count} more {function}s acknowledged", lambda live: live.acknowledged_of[function] >= before + count
    )


def also_held_by_one_of(address: str, nodes: Iterable[str]) -> Condition:
    """One of these nodes holds the address, whoever else does."""
    wanted = _names(nodes)
    return Condition(
        f"{address} is held by one of {', '.join(sorted(wanted))}",
        lambda live: not wanted.isdisjoint(live.holders(address, now_s())),
    )


def written_by_one_of(service: str, nodes: Iterable[str]) -> Condition:
    """The service writes from one of these nodes, after now (the moment of this call)."""
    wanted, since_s = _names(nodes), now_s()
    return Condition(
        f"{service} writes from one of {', '.join(sorted(wanted))}",
        lambda live: any(live.last_wrote_s.get((service, node), float("-inf")) > since_s for node in wanted),
    )


def _names(nodes: Iterable[str]) -> frozenset[str]:
    """These names. A single string is refused: its letters would be taken for names, and the condition never hold."""
    if isinstance(nodes, str):
        raise UsageError(f"{nodes!r} is one name where several go; write ({nodes!r},)")
    return frozenset(nodes)
