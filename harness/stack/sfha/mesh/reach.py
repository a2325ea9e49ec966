"""The start gate of the tunnel: Corosync starts only where a peer was reached through it."""

import socket
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep, time

from .core import recent
from .wireguard import CONTROL_DIRECTORY, WireGuardError, handshakes

DISCARD_PORT = 9
LOOK_EVERY_S = 0.01
ANSWER_BYTES = 1 << 16


def knock(addresses: Iterable[str]) -> None:
    """Send each peer a byte through the tunnel: WireGuard makes a handshake only where there is something to send."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.setblocking(False)
        for address in addresses:
            with suppress(OSError):
                link.sendto(b"\0", (address, DISCARD_PORT))


def reached(interface: str) -> bool:
    """Whether a handshake with at least one peer is recent."""
    control = CONTROL_DIRECTORY / f"{interface}.sock"
    if control.exists():
        return _reached_in_user_space(control)
    try:
        return bool(recent(handshakes(interface), time()))
    except WireGuardError:
        return False


def _reached_in_user_space(control: Path) -> bool:
    """Ask wireguard-go itself (its configuration protocol, "get=1"): ten times quicker than executing `wg`."""
    text = b""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
            link.settimeout(1.0)
            link.connect(str(control))
            link.sendall(b"get=1\n\n")
            while b"\nerrno=" not in text and (part := link.recv(ANSWER_BYTES)):
                text += part
    except OSError:
        return False
    times = [line.partition(b"=")[2] for line in text.splitlines() if line.startswith(b"last_handshake_time_sec=")]
    return bool(recent({str(index): int(at_s) for index, at_s in enumerate(times) if at_s.isdigit()}, time()))


def wait_until_reached(interface: str, addresses: Iterable[str], timeout_s: float) -> bool:
    """Knock at all peers and wait for a handshake with one; False when there was none in time."""
    deadline_s = monotonic() + timeout_s
    knock(addresses)
    while not reached(interface):
        if monotonic() > deadline_s:
            return False
        sleep(LOOK_EVERY_S)
    return True
