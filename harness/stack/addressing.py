"""Doing what was decided about addresses: the kernel's answers are logged in its own words."""

from collections.abc import Iterable

from .config import Vip
from .ports import Ports
from .vip.core import ADDRESS_LIFE_S


class Addressing:
    """The hands of a node on its interfaces, and its complaints."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._trouble: dict[str, str] = {}

    def foreign(self, vips: Iterable[Vip]) -> list[Vip]:
        """Those that somebody else has given to this node: what is ours never has long to live."""
        lasting = self._ports.addresses.lasting(ADDRESS_LIFE_S)
        return [item for item in vips if item.address in lasting]

    def clear(self, vips: Iterable[Vip]) -> None:
        """Take away what an earlier life may have left. Only these very addresses are touched, and only ours."""
        for item in vips:
            try:
                if self.foreign([item]):
                    continue
                for address, prefix in self._ports.addresses.addresses(item.interface):
                    if address == item.address:
                        self._ports.addresses.remove(item.interface, address, prefix)
                        self._ports.log("vip-left-over", vip=item.name, address=address)
            except OSError as error:
                self.complain("address removal", f"{item.address}: {error.strerror} (errno {error.errno})")

    def add(self, item: Vip, verify: bool) -> str | None:
        """Add the address or renew its life, and look whether it is there; the error when it could not be done."""
        addresses = self._ports.addresses
        try:
            links = self._ports.links
            if (links is not None and links.is_lasting(item.address)) or (verify and self.foreign([item])):
                return f"{item.address} is this node's own: it was given to it by something other than sfha"
            addresses.put(item.interface, item.address, item.prefix, ADDRESS_LIFE_S)
            if verify and all(known != item.address for known, _ in addresses.addresses(item.interface)):
                return "the kernel took the address but does not show it"
        except OSError as error:
            return f"{error.strerror} (errno {error.errno})"
        if verify:
            self._ports.log("vip-added", vip=item.name, address=item.address, interface=item.interface)
        return None

    def remove(self, item: Vip) -> bool:
        """Take the address away; whether it is certain that it is gone."""
        try:
            if self.foreign([item]):
                return True
            self._ports.addresses.remove(item.interface, item.address, item.prefix)
            self._ports.log("vip-released", vip=item.name, address=item.address)
        except OSError as error:
            self.complain("address removal", f"{item.address}: {error.strerror} (errno {error.errno})")
            return False
        return True

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
