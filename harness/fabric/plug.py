"""An end of a cable."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plug:
    """The node's or client's end of a cable. ``address`` is plain; ``gateway`` is the default route, if any."""

    interface: str
    mac: str
    address: str
    prefix_length: int
    gateway: str | None
