"""Where a tunnel is reached, "host:port": an IPv6 address has brackets, or its end could be a port. Pure."""

import re
from ipaddress import IPv6Address, ip_address

from ...kit.messages import Message, message

HIGHEST_PORT = 65535
_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")
_DOTTED_DIGITS = re.compile(r"[0-9.]+")


def split_endpoint(text: str) -> tuple[str, int]:
    """Host (without brackets) and port. Raises ValueError for what is no endpoint."""
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit()) or not 0 < int(port) <= HIGHEST_PORT:
        raise ValueError("no port")
    if host.startswith("[") and host.endswith("]"):
        return str(IPv6Address(host[1:-1])), int(port)
    if not _HOST.fullmatch(host) or len(host) > 253:
        raise ValueError("no host")
    if _DOTTED_DIGITS.fullmatch(host):
        ip_address(host)
    return host, int(port)


def joined(host: str, port: int) -> str:
    """The endpoint of a host and a port."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def fault_of_endpoint(text: str) -> Message | None:
    """Why this is no endpoint, and how it is written; None where it is one."""
    try:
        split_endpoint(text)
    except ValueError:
        bracketed = _with_brackets(text)
        if bracketed is not None:
            return message("endpoint.brackets", endpoint=text, bracketed=bracketed)
        return message("join.bad-endpoint", endpoint=text)
    return None


def _with_brackets(text: str) -> str | None:
    """The form that was probably meant by an IPv6 address without brackets."""
    host, _, port = text.rpartition(":")
    host = host.strip("[]")
    if host.count(":") < 2 or not (port.isascii() and port.isdigit()):
        return None
    for address, number in ((host, port), (text.strip("[]"), "51820")):
        try:
            return joined(str(IPv6Address(address)), int(number)) if 0 < int(number) <= HIGHEST_PORT else None
        except ValueError:
            continue
    return None
