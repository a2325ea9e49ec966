"""Where other nodes reach this one, as far as it can tell by itself."""

import json
import socket
import subprocess
from contextlib import suppress
from ipaddress import ip_address
from typing import Any

from ...kit.messages import Message, message
from ..mesh.address_book import why_unknown
from ..mesh.host_port import fault_of_endpoint, joined, split_endpoint
from ..vips.default_routes import SOMEWHERE

ASK_TIMEOUT_S = 5.0
REFUSED_WITHIN_S = 0.3
"""How long to wait for a host's word that nobody listens there."""
LASTING_S = 60


class EndpointUnknown(Exception):
    """No address to be reached at was found; the message says how to give one."""

    def __init__(self, why: Message) -> None:
        super().__init__(why)
        self.why = why


def own_address_towards(host: str) -> str | None:
    """The address that this node would use to talk to ``host``; nothing is sent."""
    try:
        found = socket.getaddrinfo(host, 9, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError):
        return None
    for family, kind, protocol, _, address in found:
        with suppress(OSError), socket.socket(family, kind, protocol) as link:
            link.connect(address)
            return str(link.getsockname()[0])
    return None


def guess_endpoint(port: int, towards: str | None = None) -> str:
    """ "address:port" of the interface that faces ``towards``, or of the default route, or of the only network.

    IPv4 where there is any, else IPv6, in brackets. Raises EndpointUnknown.
    """
    for host in (towards,) if towards else SOMEWHERE:
        address = own_address_towards(host.strip("[]"))
        if address is not None and _is_of_use(address):
            return joined(address, port)
    for family in ("-4", "-6"):
        address = _first_global_address(family)
        if address is not None:
            return joined(address, port)
    raise EndpointUnknown(message("endpoint.unknown"))


def _is_of_use(address: str) -> bool:
    """Whether others can reach it: not the loopback's, nor one that is good on a single link only."""
    parsed = ip_address(address.partition("%")[0])
    return not (parsed.is_loopback or parsed.is_link_local or parsed.is_unspecified)


def _first_global_address(family: str) -> str | None:
    try:
        done = subprocess.run(
            ["ip", "-j", family, "address", "show", "scope", "global", "up"],
            capture_output=True,
            check=False,
            timeout=ASK_TIMEOUT_S,
        )
        links = json.loads(done.stdout or b"[]")
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    # The tunnel's own address leads into the tunnel; a virtual address (it has a short life) leads elsewhere tomorrow.
    found = [
        info["local"]
        for link in links
        if "POINTOPOINT" not in link.get("flags", ()) and link.get("ifname") != "lo"
        for info in link.get("addr_info", ())
        if "local" in info  # of addresses that were not asked for, `ip` says nothing but that there are some
        if not info.get("dynamic") or (family == "-6" and info.get("valid_life_time", 0) > LASTING_S)
        if not info.get("temporary") and not info.get("deprecated")
    ]
    return str(found[0]) if found else None


def is_endpoint(text: str) -> bool:
    """Whether a text is "host:port"; an IPv6 address has brackets."""
    return fault_of_endpoint(text) is None


def unresolved(endpoint: str, reason: str, seeder: str | None = None) -> EndpointUnknown:
    """The endpoint's name has no address; it is this node's own, or the one where a seeder is reached."""
    option = "--endpoint ADDRESS:PORT"
    instead = f"{seeder}: `sfha token {option}`" if seeder else f"`{option}`"
    host, _ = split_endpoint(endpoint)
    return EndpointUnknown(message("endpoint.unresolved", endpoint=endpoint, host=host, reason=reason, instead=instead))


def resolved(endpoint: str, seeder: str | None = None) -> list[tuple[socket.AddressFamily, tuple[Any, ...]]]:
    """The socket addresses of an endpoint that is well written. Raises EndpointUnknown, at once or as DNS answers."""
    host, port = split_endpoint(endpoint)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        raise unresolved(endpoint, why_unknown(error), seeder) from error
    return [(family, address) for family, _, _, _, address in found]


def refuse_unreachable(endpoint: str, seeder: str) -> None:
    """Find out at once what can be found out at once of a way to another node. Raises EndpointUnknown.

    Silence says nothing: WireGuard answers strangers nothing. But no route, and a host that says that nobody listens
    there, are answers.
    """
    why = ""
    for family, address in resolved(endpoint, seeder):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as link:
                link.settimeout(REFUSED_WITHIN_S)
                link.connect(address)
                link.send(b"\0")
                link.recv(1)
            return
        except TimeoutError:
            return
        except OSError as error:
            why = error.strerror or str(error)
    raise EndpointUnknown(message("endpoint.unreachable", endpoint=endpoint, seeder=seeder, reason=why))
