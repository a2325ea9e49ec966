"""What the node needs from the outside world: one Protocol per port. Cores decide; ports do."""

from dataclasses import dataclass

from ...kit.ports import Clock, Log
from ..claim.ports import PowerPort
from ..datagrams.ports import Messenger
from ..lease.ports import GatePort
from ..services.ports import NO_SERVICES, ServicePort
from ..vips.ports import AddressPort, Announcer, LinkPort


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
