"""Virtual addresses as a node has them: beside its own, and never in their place.

With the prefix of its network a virtual address would be the first of it, or second to the node's own. Of IPv4 the
kernel takes away the second along with the first (unless promote_secondaries is set), so that the node would lose its
own address with the virtual one, and one virtual address with another; of IPv6 it gives the network's route the short
life of the virtual address. So it is added alone, as /32 or /128, and a route of a high metric says where its
network is: the node's own address, where it has one, goes first, and connections of the node come from that.
"""

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from ipaddress import ip_interface

from ..kernel.netlink import AddressTable
from .core import ADDRESS_LIFE_S
from .orders import Put, Removal, own

ROUTE_METRIC = 32768
"""Above whatever a node uses for routes of its own."""
ROUTE_PROTOCOL = 83
"""So that `ip route` tells whose it is, and nothing that cares for other protocols touches it."""


class HostAddresses:
    """Waits for the kernel. ``index_of`` tells which interface has a name, and is to be given addresses.

    Errors are OSErrors with the kernel's number.
    """

    def __init__(self, table: AddressTable, index_of: Callable[[str], int], life_s: int = ADDRESS_LIFE_S) -> None:
        """Whatever lives longer than ``life_s`` is not ours."""
        self._table, self._index_of, self._life_s = table, index_of, life_s
        self._put_at: dict[str, int] = {}

    def put(self, order: Put) -> str | None:
        """Add the address, or give it a new life, which begins when the kernel takes it; why it is not there then.

        ``verify`` where it was not there before, or nobody knows: what is the node's own is left alone.
        """
        if order.verify and order.address in self._table.lasting(self._life_s):
            return own(order.address)
        index, alone = self._index_of(order.interface), _alone(order.address)
        self._put_at[order.address] = index
        self._table.put_at(index, order.address, alone, self._life_s, without_route=True)
        self._is_still_there(order.interface, index, order.address)
        if order.prefix != alone:
            with suppress(OSError):  # on an interface that is down, say: the address is there, and that is what counts
                self._table.add_route(
                    index,
                    (_network(order.address, order.prefix), order.prefix),
                    order.address,
                    metric=ROUTE_METRIC,
                    protocol=ROUTE_PROTOCOL,
                )
        if order.verify and all(known != order.address for known, _ in self._table.addresses(order.interface)):
            return "the kernel took the address but does not show it"
        return None

    def _is_still_there(self, interface: str, index: int, address: str) -> None:
        """It may have been renamed while the kernel was waited for, and then nothing guards the address there."""
        try:
            if self._index_of(interface) == index:
                return
        except OSError:
            pass
        self._table.remove_at(index, address, _alone(address))
        raise OSError(errno.ENODEV, f"{os.strerror(errno.ENODEV)}: {interface}")

    def remove(self, order: Removal) -> bool:
        """Take it away from the interface it was added to, whatever that is called now, if it is there.

        False where it is the node's own, and so was left alone.
        """
        index = self._put_at.pop(order.address, None)
        if order.address in self._table.lasting(self._life_s):
            return False
        if index is None:
            self._table.remove(order.interface, order.address, order.prefix)
        else:
            self._table.remove_at(index, order.address, _alone(order.address))
        return True

    def clear(self, interface: str, address: str) -> bool:
        """Take away what an earlier life may have left; True when there was something."""
        if address in self._table.lasting(self._life_s):
            return False
        found = [prefix for known, prefix in self._table.addresses(interface) if known == address]
        for prefix in found:
            self._table.remove(interface, address, prefix)
        return bool(found)


@cache
def _network(address: str, prefix: int) -> str:
    return str(ip_interface(f"{address}/{prefix}").network.network_address)


def _alone(address: str) -> int:
    return 128 if ":" in address else 32
