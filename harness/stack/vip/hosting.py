"""Virtual addresses as a node has them: beside its own, and never in their place.

With the prefix of its network a virtual address would be the first of it, or second to the node's own. Of IPv4 the
kernel takes away the second along with the first (unless promote_secondaries is set), so that the node would lose its
own address with the virtual one, and one virtual address with another; of IPv6 it gives the network's route the short
life of the virtual address. So it is added alone, as /32 or /128, and a route of a high metric says where its
network is: the node's own address, where it has one, goes first, and connections of the node come from that.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from ipaddress import ip_interface

from .netlink import AddressTable

ROUTE_METRIC = 32768
"""Above whatever a node uses for routes of its own."""
ROUTE_PROTOCOL = 83
"""So that `ip route` tells whose it is, and nothing that cares for other protocols touches it."""


class HostAddresses:
    """Implements ports.AddressPort; ``index_of`` tells which interface has a name, and is to be given addresses."""

    def __init__(self, table: AddressTable, index_of: Callable[[str], int]) -> None:
        self._table, self._index_of = table, index_of
        self._put_at: dict[str, int] = {}

    def put(self, interface: str, address: str, prefix: int, life_s: int | None = None) -> None:
        """Add the address, or give it a new life of ``life_s`` seconds (None: for ever)."""
        index, alone = self._index_of(interface), _alone(address)
        self._table.put_at(index, address, alone, life_s, without_route=True)
        self._put_at[address] = index
        if prefix != alone:
            with suppress(OSError):  # on an interface that is down, say: the address is there, and that is what counts
                self._table.add_route(
                    index,
                    (_network(address, prefix), prefix),
                    address,
                    metric=ROUTE_METRIC,
                    protocol=ROUTE_PROTOCOL,
                )

    def remove(self, interface: str, address: str, prefix: int) -> bool:
        """Take it away from the interface it was added to, whatever that is called now; False when it was not there."""
        index = self._put_at.pop(address, None)
        if index is None:
            return self._table.remove(interface, address, prefix)
        return self._table.remove_at(index, address, _alone(address))

    def addresses(self, interface: str) -> set[tuple[str, int]]:
        """Address and prefix length of everything on an interface."""
        return self._table.addresses(interface)

    def lasting(self, beyond_s: int) -> set[str]:
        """The addresses on any interface that live on for more than ``beyond_s`` seconds, or for ever."""
        return self._table.lasting(beyond_s)


@cache
def _network(address: str, prefix: int) -> str:
    return str(ip_interface(f"{address}/{prefix}").network.network_address)


def _alone(address: str) -> int:
    return 128 if ":" in address else 32
