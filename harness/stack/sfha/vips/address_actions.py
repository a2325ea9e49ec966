"""Having what was decided about addresses carried out. What the kernel answers is logged in its own words."""

from collections.abc import Iterable

from ..config.load import Vip
from .orders import KEEPS_S, Answer, Put, Removal, own
from .ports import VipPorts


class AddressActions:
    """The hands of a node on its interfaces, and its complaints."""

    def __init__(self, ports: VipPorts) -> None:
        self._ports = ports
        self._trouble: dict[str, str] = {}

    def foreign(self, vips: Iterable[Vip]) -> list[Vip]:
        """Those that somebody else has given to this node, as far as the kernel has told."""
        links = self._ports.links
        return [] if links is None else [item for item in vips if links.is_lasting(item.address)]

    def clear(self, vips: Iterable[Vip]) -> None:
        """Take away what an earlier life may have left. Only these very addresses are touched, and only ours."""
        for item in vips:
            try:
                if self._ports.addresses.clear(item.interface, item.address):
                    self._ports.log("vip-left-over", vip=item.name, address=item.address)
            except OSError as error:
                self.complain("address removal", f"{item.address}: {error.strerror} (errno {error.errno})")

    def put(self, item: Vip, number: int, *, verify: bool) -> str | None:
        """Have the address added, or its life renewed; why that is not even ordered."""
        if self.foreign([item]):
            return own(item.address)
        until_s = self._ports.clock() + KEEPS_S
        self._ports.addresses.order(
            Put(number, item.name, item.interface, item.address, item.prefix, verify=verify, until_s=until_s)
        )
        return None

    def remove(self, item: Vip, number: int) -> None:
        """Have the address taken away."""
        self._ports.addresses.order(Removal(number, item.name, item.interface, item.address, item.prefix))

    def answered(self, answer: Answer) -> None:
        """Log what came of an order."""
        order, error = answer.order, answer.error
        if isinstance(order, Put):
            if order.verify and error is None:
                self._ports.log("vip-added", vip=order.vip, address=order.address, interface=order.interface)
        elif error is not None:
            self.complain("address removal", f"{order.address}: {error}")
        elif answer.was_ours:
            self._ports.log("vip-released", vip=order.vip, address=order.address)

    def announce(self, item: Vip) -> None:
        """Tell the neighbours."""
        try:
            self._ports.announce(item.interface, item.address)
            self._ports.log("vip-announced", vip=item.name, address=item.address)
        except OSError as error:
            self.complain("announcement", f"{item.address}: {error.strerror} (errno {error.errno})")

    def complain(self, what: str, message: str) -> None:
        """Log trouble, once as long as it stays the same."""
        if self._trouble.get(what) != message:
            self._trouble[what] = message
            self._ports.log("warning", what=what, message=message)

    def settled(self, what: str) -> None:
        """The trouble is over; should it come back, it is logged again."""
        self._trouble.pop(what, None)
