"""A gate in a room of its own, and asking from the next one whether it lets anything through."""

import socket
import struct
import subprocess
import time

from harness.stack.sfha.lease.gate import Gate
from tests.stack.sfha.kernel.kernel_rooms import Room

VIP, NODE, CLIENT = "10.9.0.100", "10.9.0.1", "10.9.0.9"
LEASE_S = 0.150
LONG_S = 5.0
"""For what has nothing to do with the end of a lease, however slow this machine is at the moment."""
HEARD_WITHIN_S = 5.0
Rooms = tuple[Room, Room]


def gate_with_address(node: Room, lease_s: float = LONG_S) -> Gate:
    node.ip("address", "add", f"{VIP}/24", "dev", "eth0")
    gate = node.call(Gate, [VIP], ["eth0"], lease_s)
    node.call(gate.install)
    return gate


def answers(client: Room, address: str = VIP, within_s: float = HEARD_WITHIN_S) -> bool:
    """Whether somebody answers an ARP request for the address, before the node answers a later one for its own."""
    return client.call(_ask_once, within_s, address)


def _ask_once(within_s: float, address: str) -> bool:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806)) as raw:
        raw.bind(("eth0", 0x0806))
        mac = raw.getsockname()[4]
        for asked in (address, NODE):
            raw.send(who_has(mac, "10.9.0.9", asked))
        deadline_s = time.monotonic() + within_s
        while (left_s := deadline_s - time.monotonic()) > 0:
            raw.settimeout(left_s)
            try:
                frame = raw.recv(2048)
            except TimeoutError:
                return False
            if frame[20:22] == b"\x00\x02" and frame[28:32] in (socket.inet_aton(address), socket.inet_aton(NODE)):
                return frame[28:32] == socket.inet_aton(address)
    return False


def who_has(mac: bytes, asker: str, target: str) -> bytes:
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + mac + socket.inet_aton(asker)
    return b"\xff" * 6 + mac + b"\x08\x06" + body + b"\x00" * 6 + socket.inet_aton(target)


def reached(client: Room, address: str) -> bool:
    """Whether a kernel answers there: nobody listens, so the answer is a refusal."""

    def knock() -> bool:
        try:
            socket.create_connection((address, 9), timeout=0.5).close()
        except ConnectionRefusedError:
            return True
        except OSError:  # nobody answers, or nobody says who has the address
            return False
        return True

    return client.call(knock)


def nft(node: Room, commands: str) -> str:
    return node.call(
        lambda: subprocess.run(["nft", "-f", "-"], input=commands, check=True, capture_output=True, text=True).stdout
    )
