"""What the node needs from the outside world: one Protocol per port. Cores decide; ports do."""

from dataclasses import dataclass
from typing import Protocol


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

    egress: bool

    def install(self) -> None: ...
    def arm(self) -> None: ...
    def open(self) -> bool: ...
    def renew(self) -> bool: ...
    def close(self) -> None: ...


class AddressPort(Protocol):
    """The interface addresses of vip/netlink.py; errors are OSErrors with the kernel's number."""

    def put(self, interface: str, address: str, prefix: int, life_s: int | None = None) -> None: ...
    def remove(self, interface: str, address: str, prefix: int) -> bool: ...
    def addresses(self, interface: str) -> set[tuple[str, int]]: ...


class Announcer(Protocol):
    """Sends gratuitous ARP in both forms; OSError when it cannot."""

    def __call__(self, interface: str, address: str) -> None: ...


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
