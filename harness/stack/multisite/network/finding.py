"""Where hubs are, as addresses: wg would look a name up for as long as that takes."""

import asyncio
import ipaddress
import socket
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """An address and a port."""

    host: str
    port: int

    @property
    def endpoint(self) -> str:
        """As WireGuard is told."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def source(self) -> str:
        """The address that this machine would speak from; empty where there is no way."""
        with socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((self.host, self.port))
            except OSError:
                return ""
            return str(probe.getsockname()[0])


class Finding:
    """Each name is looked up once, and again when that is asked for."""

    def __init__(self) -> None:
        self._found: dict[str, Place] = {}
        self._again: set[Place] = set()

    async def place(self, endpoint: str) -> Place:
        """Where it is. Raises OSError for a name that never was found."""
        host, _, port = endpoint.rpartition(":")
        host = host.strip("[]")
        try:
            return Place(str(ipaddress.ip_address(host)), int(port))
        except ValueError:
            pass
        before = self._found.get(endpoint)
        if before is None or before in self._again:
            self._again -= {before}
            try:
                found = await asyncio.get_running_loop().getaddrinfo(host, int(port), type=socket.SOCK_DGRAM)
                self._found[endpoint] = Place(str(found[0][4][0]), int(port))
            except OSError:
                if before is None:
                    raise
                # Where it was is the best that is known.
        return self._found[endpoint]

    def again(self, place: Place) -> None:
        """Who was there may be somewhere else by now."""
        self._again.add(place)
