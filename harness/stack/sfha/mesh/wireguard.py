"""The WireGuard interface: the kernel's where there is one, else wireguard-go (wireguard-go(8), wg(8))."""

import ctypes
import errno
import fcntl
import os
import re
import socket
import struct
from collections.abc import Iterable
from contextlib import suppress

from ...kit.messages import Message, message
from ...kit.wireguard import (
    CONTROL_DIRECTORY,
    TUN,
    WireGuardError,
    is_up,
    made_by,
    make,
    new_private_key,
    peers,
    public_key_of,
    run,
    set_private_key,
    take_down,
)
from .core import KEEPALIVE_S, Condition, TunnelPeer
from .udp import holder_of

__all__ = [
    "CONTROL_DIRECTORY",
    "TUN",
    "WireGuardError",
    "bring_up",
    "condition",
    "handshakes",
    "is_up",
    "made_by",
    "new_private_key",
    "peer_keys",
    "peers",
    "port_taken",
    "public_key_of",
    "remove_peer",
    "repair",
    "set_address",
    "set_anew",
    "set_peer",
    "set_private_key",
    "take_down",
]
SIOCGIFCONF, SIOCGIFFLAGS, SIOCGIFMTU, IFF_UP = 0x8912, 0x8913, 0x8921, 1
IFREQ_BYTES, MOST_ADDRESSES = 40, 1024
_LISTEN_PORT = re.compile(r"^ListenPort = (\d+)$", re.MULTILINE)


def bring_up(interface: str, address: str, mtu: int, setconf: str) -> str:
    """Have the interface up and configured; returns "kernel", "wireguard-go", "kept" or "repaired" (it was there).

    An interface that exists is told only what changed, so that a daemon's restart does not disturb the tunnel. One
    that was made here and cannot be configured is removed again. Raises WireGuardError.
    """
    if is_up(interface):
        was_well = condition(interface).serves(address)
        repair(interface, address, mtu, setconf)
        _configure("syncconf", interface, setconf)
        return "kept" if was_well else "repaired"
    how = make(interface)
    try:
        _configure("setconf", interface, setconf)
        repair(interface, address, mtu, setconf)
    except WireGuardError:
        with suppress(WireGuardError):
            take_down(interface)
        raise
    return how


def repair(interface: str, address: str, mtu: int, setconf: str = "") -> None:
    """Have an interface that is there up, with this address and MTU; one that is so already notices nothing.

    Raises WireGuardError, with the port and who has it where that is the reason (``setconf`` says the port).
    """
    batch = f"address replace {address} dev {interface}\nlink set {interface} mtu {mtu} up\n"
    try:
        run("ip", "-batch", "-", stdin=batch)
    except WireGuardError as error:
        raise _about_port(error, setconf) from error


def condition(interface: str) -> Condition:
    """How the interface is now; costs some microseconds (netdevice(7))."""
    name = interface.encode()[:15]

    def asked(request: int, form: str) -> int | None:
        try:
            answer = fcntl.ioctl(probe, request, struct.pack(f"16s{IFREQ_BYTES - 16}x", name))
        except OSError:
            return None
        return int(struct.unpack_from(form, answer, 16)[0])

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        flags, mtu = asked(SIOCGIFFLAGS, "=H"), asked(SIOCGIFMTU, "=i")
        if flags is None:
            return Condition()
        return Condition(True, bool(flags & IFF_UP), _addresses(probe, name), mtu or 0)


def _addresses(probe: socket.socket, name: bytes) -> frozenset[str]:
    """Every IPv4 address of an interface, the second ones as well."""
    room = ctypes.create_string_buffer(MOST_ADDRESSES * IFREQ_BYTES)
    asked = struct.pack("@iP", len(room), ctypes.addressof(room))
    (length,) = struct.unpack_from("@i", fcntl.ioctl(probe, SIOCGIFCONF, asked))
    entries = (room.raw[at : at + IFREQ_BYTES] for at in range(0, length, IFREQ_BYTES))
    return frozenset(
        socket.inet_ntoa(entry[20:24])
        for entry in entries
        if entry[:16].partition(b"\0")[0].partition(b":")[0] == name  # an address may have a label, "eth0:1"
    )


def _configure(how: str, interface: str, setconf: str) -> None:
    try:
        run("wg", how, interface, "/dev/stdin", stdin=setconf)
    except WireGuardError as error:
        raise _about_port(error, setconf) from error


def _about_port(error: WireGuardError, setconf: str) -> WireGuardError:
    """The error, in words that help where it is about the port."""
    port = _LISTEN_PORT.search(setconf)
    if port is None or os.strerror(errno.EADDRINUSE) not in str(error):
        return error
    return WireGuardError(port_taken(int(port[1])))


def port_taken(port: int) -> Message:
    """Says that the port cannot be had, and who has it."""
    return message("mesh.port-taken", port=port, holder=str(holder_of(port) or "?"))


def set_address(interface: str, address: str) -> None:
    """Have this address ("a.b.c.d/nn") and no other on the interface."""
    run(
        "ip",
        "-batch",
        "-",
        stdin=f"address flush dev {interface} scope global\naddress add {address} dev {interface}\n",
    )


def set_peer(interface: str, peer: TunnelPeer) -> None:
    """Add a peer, or change what is known of it; other peers notice nothing (wg(8): set). Raises WireGuardError.

    Its endpoint is an address: wg(8) would look a name up, for as long as that takes.
    """
    run("wg", "set", interface, *_arguments(peer))


def _arguments(peer: TunnelPeer) -> list[str]:
    where = ("endpoint", peer.endpoint) if peer.endpoint else ()
    allowed = f"{peer.address}/32" if peer.address else ""
    return ["peer", peer.public_key, *where, "persistent-keepalive", str(KEEPALIVE_S), "allowed-ips", allowed]


def remove_peer(interface: str, public_key: str) -> None:
    """Remove a peer; one that is not there is no error. Raises WireGuardError."""
    run("wg", "set", interface, "peer", public_key, "remove")


def peer_keys(interface: str) -> frozenset[str]:
    """The public keys of all peers. Raises WireGuardError."""
    return frozenset(peers(interface))


def handshakes(interface: str) -> dict[str, int]:
    """When each peer was last reached (wall-clock seconds; 0: never). Raises WireGuardError."""
    return {key: peer.handshake_at_s for key, peer in peers(interface).items()}


def set_anew(interface: str, peers: Iterable[TunnelPeer]) -> None:
    """Forget and add peers in one go: the next packet to each starts a handshake at once. Raises WireGuardError."""
    arguments: list[str] = []
    for peer in peers:
        arguments += ["peer", peer.public_key, "remove", *_arguments(peer)]
    run("wg", "set", interface, *arguments)
