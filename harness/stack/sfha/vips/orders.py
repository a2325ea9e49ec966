"""What is to be done with addresses, and what is not to be done any more. Pure.

The kernel has one lock for its interfaces and addresses, which others may hold for long (whoever starts and ends
containers does). So orders are carried out one by one, in a thread (order_thread.py), and meanwhile the lease may go.
A put that has not begun by then is dropped: its removal makes it void, and it does not keep for long by itself. One
that has begun cannot be called back; its removal comes right after it, and until that is answered the address counts
as being here.
"""

from dataclasses import dataclass

KEEPS_S = 1.0
"""A put that has waited for longer is not begun: whoever ordered it may have been stopped, and know nothing yet."""
VOID, STALE = "not wanted any more", "it came too late to be begun"


@dataclass(frozen=True, slots=True)
class Put:
    """Add the address, or renew its life; ``verify`` asks for a look at what was and what is there."""

    number: int
    vip: str
    interface: str
    address: str
    prefix: int
    verify: bool
    until_s: float
    """When it may not begin any more (seconds of CLOCK_MONOTONIC)."""


@dataclass(frozen=True, slots=True)
class Removal:
    """Take the address away. Numbers of orders only grow; those of puts below this one are void."""

    number: int
    vip: str
    interface: str
    address: str
    prefix: int


Order = Put | Removal


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an order: ``error`` in the kernel's words, None where all is as it was asked for."""

    order: Order
    error: str | None = None
    was_ours: bool = True
    """False for a removal of what somebody else has given to the node, and which was left alone."""


class Withdrawals:
    """Which orders are void. ``note`` is called when one is given, ``objection`` when it is about to begin.

    The two may be called by different threads: each reads or writes one entry, which needs no lock.
    """

    def __init__(self) -> None:
        self._void_below: dict[str, int] = {}

    def note(self, order: Order) -> None:
        """This was ordered."""
        if isinstance(order, Removal):
            self._void_below[order.vip] = order.number

    def objection(self, order: Order, now_s: float) -> str | None:
        """Why not to begin with it; removals are always carried out."""
        if isinstance(order, Removal):
            return None
        if order.number < self._void_below.get(order.vip, 0):
            return VOID
        return STALE if now_s > order.until_s else None


def own(address: str) -> str:
    """Why an address that the node has for good is not touched."""
    return f"{address} is this node's own: it was given to it by something other than sfha"
