"""Whether this node has a way to other networks: without one, its answers to clients there go nowhere.

The kernel is asked as for a datagram that is never sent (connect(2) of UDP): that takes none of the locks that others
may hold, and sees a route that went together with its address or interface, of which there is no notice.
"""

import errno
import socket
from collections.abc import Callable

SOMEWHERE = ("192.0.2.1", "2001:db8::1")
"""Nobody's addresses (RFC 5737, RFC 3849): the way to them is the way to everybody."""
DISCARD_PORT = 9
NO_WAY = frozenset((errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EACCES, errno.EINVAL, errno.EADDRNOTAVAIL))
"""What connect(2) says where there is no route, or one that leads nowhere; anything else says nothing of ways."""


class DefaultRoutes:
    """For each family of addresses: by which interface other networks were reached last, and whether they are."""

    def __init__(self) -> None:
        self._last: dict[bool, str] = {}
        self._lost: set[bool] = set()

    def look(self, interface_of: Callable[[str], str | None]) -> bool:
        """See where other networks are reached now, given the interface of each address; whether that is news."""
        before = self._lost.copy()
        for somewhere in SOMEWHERE:
            six = ":" in somewhere
            try:
                own = _own_address_towards(somewhere)
            except OSError as error:
                if error.errno in NO_WAY and six in self._last:
                    self._lost.add(six)
                continue
            self._lost.discard(six)
            interface = interface_of(own)
            if interface is not None:
                self._last[six] = interface
        return before != self._lost

    def is_lost(self, interface: str, address: str) -> bool:
        """Whether other networks were reached by this interface, and are no longer, for what answers by ``address``."""
        six = ":" in address
        return six in self._lost and self._last[six] == interface


def _own_address_towards(address: str) -> str:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as link:
        link.connect((address, DISCARD_PORT))
        return str(link.getsockname()[0])
