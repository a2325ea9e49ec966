"""What virtual addresses need from the outside world."""

from typing import TYPE_CHECKING, Protocol

from ...kit.ports import Clock, Log
from ..lease.ports import GatePort

if TYPE_CHECKING:
    from .interface import Link
    from .orders import Order


class AddressPort(Protocol):
    """Puts and removes addresses, one after the other. Nothing waits: each order is answered to the node later.

    ``clear`` waits, and is for the start: it takes away what an earlier life may have left of an address. OSError.
    """

    def order(self, order: "Order") -> None: ...
    def clear(self, interface: str, address: str) -> bool: ...


class LinkPort(Protocol):
    """What vips/links.py knows of interfaces and of the node's own addresses; ``read`` says whether that is news."""

    def read(self) -> bool: ...
    def link(self, name: str) -> "Link | None": ...
    def exists(self, index: int) -> bool: ...
    def is_lasting(self, address: str) -> bool: ...
    def has_lost_way(self, interface: str, address: str) -> bool: ...


class Announcer(Protocol):
    """Sends gratuitous ARP in both forms; OSError when it cannot."""

    def __call__(self, interface: str, address: str) -> None: ...


class VipPorts(Protocol):
    """All of it; ``links`` is None where interfaces are not watched: then every one is taken for well."""

    @property
    def clock(self) -> Clock: ...
    @property
    def log(self) -> Log: ...
    @property
    def gate(self) -> GatePort: ...
    @property
    def gate_error(self) -> type[Exception]: ...
    @property
    def addresses(self) -> AddressPort: ...
    @property
    def announce(self) -> Announcer: ...
    @property
    def links(self) -> LinkPort | None: ...
