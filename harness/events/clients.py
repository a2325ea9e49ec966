"""What clients did to a store, what is there in the end, and what services wrote elsewhere."""

from typing import Any, Literal

from harness.events.event import Event, Number


class Invoked(Event, frozen=True, kw_only=True):
    """A client is about to send an operation. Written before sending.

    ``node`` is the member it is sent to ("" for whoever has the address), ``connection`` what it is sent through.
    ``due_s`` is when the schedule wanted it sent (None without a schedule): latency counts from there.
    """

    process: Number
    operation: Number
    function: str
    key: str
    value: Any
    node: str = ""
    connection: str = ""
    due_s: float | None = None


class Completed(Event, frozen=True, kw_only=True):
    """How an operation ended. ``unknown`` may have taken effect, or may yet, or never will."""

    process: Number
    operation: Number
    outcome: Literal["ok", "failed", "unknown"]
    value: Any = None
    error: str = ""


class ReadBack(Event, frozen=True, kw_only=True):
    """After the heal: everything one member holds, read from that member itself."""

    node: str
    key: str
    values: tuple[Any, ...]


class ServiceWrote(Event, frozen=True, kw_only=True):
    """A service on a node wrote to a place outside of the cluster. A ``connection`` is one run of it on one node."""

    node: str
    service: str
    connection: int
