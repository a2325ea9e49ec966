"""What the node needs from the outside world: one Protocol per port. Cores decide; ports do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .exclusive.messages import Stored
    from .fencing.settings import Stonith
    from .fencing.signals import Fencing
    from .resources import Check, Service
    from .vip.links import Link
    from .vip.orders import Order


class Clock(Protocol):
    """Seconds of CLOCK_MONOTONIC."""

    def __call__(self) -> float: ...


class Log(Protocol):
    """Writes one structured event: a name and its fields."""

    def __call__(self, event: str, **fields: object) -> None: ...


class Messenger(Protocol):
    """Sends datagrams to the other daemons; they may be lost."""

    def send(self, to: int | None, datagram: bytes) -> None: ...


class GatePort(Protocol):
    """The kernel gate of vip/gate.py; each method is one transaction."""

    egress: bool | None

    def put_up(self) -> None: ...
    def follow(self) -> None: ...
    def reconfigure(self, addresses: Sequence[str], interfaces: Sequence[str]) -> None: ...
    def arm(self) -> None: ...
    def open(self) -> bool: ...
    def renew(self) -> bool: ...
    def close(self) -> None: ...


class AddressPort(Protocol):
    """Puts and removes addresses, one after the other. Nothing waits: each order is answered to the node later.

    ``clear`` waits, and is for the start: it takes away what an earlier life may have left of an address. OSError.
    """

    def order(self, order: "Order") -> None: ...
    def clear(self, interface: str, address: str) -> bool: ...


class LinkPort(Protocol):
    """What vip/links.py knows of interfaces and of the node's own addresses; ``read`` says whether that is news."""

    def read(self) -> bool: ...
    def link(self, name: str) -> "Link | None": ...
    def exists(self, index: int) -> bool: ...
    def is_lasting(self, address: str) -> bool: ...
    def has_lost_way(self, interface: str, address: str) -> bool: ...


class Announcer(Protocol):
    """Sends gratuitous ARP in both forms; OSError when it cannot."""

    def __call__(self, interface: str, address: str) -> None: ...


class ServicePort(Protocol):
    """Runs services and looks at health. Nothing waits: what came of it is reported to the node later."""

    def configure(self, services: "Sequence[Service]") -> None: ...
    def start(self, name: str) -> None: ...
    def stop(self, name: str, *, kill: bool) -> None: ...
    def probe(self, name: str, round_: int, check: "Check") -> None: ...


class NoServices:
    """For a node that runs none."""

    def configure(self, services: "Sequence[Service]") -> None:
        """Nothing to prepare."""

    def start(self, name: str) -> None:
        """Never called."""

    def stop(self, name: str, *, kill: bool) -> None:
        """Never called."""

    def probe(self, name: str, round_: int, check: "Check") -> None:
        """Never called."""


NO_SERVICES = NoServices()


class PowerPort(Protocol):
    """Switches power, and keeps what must survive a restart. Nothing waits: what came of it is reported later.

    ``power_off`` is followed by the sentry's ``switched``, ``look`` by ``looked``, ``save_claim`` by ``claim_saved``.
    """

    def configure(self, stonith: "Stonith") -> None: ...
    def claim(self) -> "Stored": ...
    def history(self) -> "Sequence[Fencing]": ...
    def pardons(self) -> "Mapping[int, float]": ...
    def save_claim(self, stored: "Stored") -> None: ...
    def save_history(self, history: "Sequence[Fencing]") -> None: ...
    def save_pardons(self, pardons: "Mapping[int, float]") -> None: ...
    def power_off(self, node: str) -> None: ...
    def look(self, node: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything a node is wired to. ``gate_error`` is what the gate raises when the kernel refuses."""

    clock: Clock
    log: Log
    messenger: Messenger
    gate: GatePort
    gate_error: type[Exception]
    addresses: AddressPort
    announce: Announcer
    services: ServicePort = NO_SERVICES
    links: LinkPort | None = None
    """None where they are not watched: then every interface is taken for well."""
    power: PowerPort | None = None
    """None where fencing is not configured."""
