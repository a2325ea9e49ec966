"""Where other nodes reach this one, as far as it can tell by itself."""

import json
import socket
import subprocess

from ..languages.core import Message, message

ASK_TIMEOUT_S = 5.0


class EndpointUnknown(Exception):
    """No address to be reached at was found; the message says how to give one."""

    def __init__(self, why: Message) -> None:
        super().__init__(why)
        self.why = why


def own_address_towards(host: str) -> str | None:
    """The address that this node would use to talk to ``host``; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        try:
            link.connect((host, 9))
            return str(link.getsockname()[0])
        except OSError:
            return None


def guess_endpoint(port: int, towards: str | None = None) -> str:
    """ "address:port" of the interface that faces ``towards``, or of the default route, or of the only network.

    Raises EndpointUnknown.
    """
    address = own_address_towards(towards or "192.0.2.1")
    if address is None or address.startswith("127."):
        address = _first_global_address()
    if address is None:
        raise EndpointUnknown(message("endpoint.unknown"))
    return f"{address}:{port}"


def _first_global_address() -> str | None:
    try:
        done = subprocess.run(
            ["ip", "-j", "-4", "address", "show", "scope", "global", "up"],
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
        if not info.get("dynamic")
    ]
    return str(found[0]) if found else None


def is_endpoint(text: str) -> bool:
    """Whether a text is "host:port"."""
    host, _, port = text.rpartition(":")
    return bool(host) and port.isascii() and port.isdigit() and 0 < int(port) <= 65535 and not set(host) & set(" \n\t,")
