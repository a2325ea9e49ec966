"""`sfha mesh status`: the tunnel as WireGuard sees it. The private key is neither asked for nor shown."""

import argparse
import subprocess
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from ...kit.messages import message
from ...kit.speech import text
from .errors import CommandFailed
from .frame import add_command, add_group

if TYPE_CHECKING:
    from .frame import Subparsers
    from .output import Output

RECENT_S = 180
"""WireGuard makes a new handshake every two minutes while there is traffic, and gives a session up after three."""
TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class PeerState:
    """A peer of the tunnel; ``handshake_s_ago`` is None when there has been none."""

    name: str
    address: str
    endpoint: str
    handshake_s_ago: float | None
    received_bytes: int
    sent_bytes: int

    @property
    def connected(self) -> bool:
        """Whether it has been reached lately."""
        return self.handshake_s_ago is not None and self.handshake_s_ago <= RECENT_S


def register(subparsers: "Subparsers") -> None:
    """Add the command to the group `mesh`."""
    add_command(add_group(subparsers, "mesh"), "mesh status", _status, data=True)


def parse_peers(dump: str, names: dict[str, str], now_s: float) -> list[PeerState]:
    """The peers of `wg show INTERFACE dump` (wg(8)); ``names`` are those of the public keys. The keys stay behind."""
    peers = []
    for line in dump.splitlines()[1:]:  # the first line is the interface's own, with its private key
        fields = line.split("\t")
        if len(fields) < 8:
            continue
        key, _, endpoint, allowed, handshake, received, sent = fields[:7]
        at_s = int(handshake)
        peers.append(
            PeerState(
                name=names.get(key, text("mesh.unknown-peer")),
                address=allowed.partition("/")[0],
                endpoint=endpoint,
                handshake_s_ago=max(0.0, round(now_s - at_s, 1)) if at_s else None,
                received_bytes=int(received),
                sent_bytes=int(sent),
            )
        )
    return sorted(peers, key=lambda peer: peer.name)


def _status(options: argparse.Namespace) -> None:
    from ..config.load import ConfigError, load_mesh

    output: Output = options.output
    try:
        mesh = load_mesh()
    except ConfigError as error:
        raise CommandFailed(error.why) from error
    from ..mesh.wireguard import condition, made_by

    names = {peer.public_key: peer.name for peer in mesh.peers}
    now, by = condition(mesh.interface), made_by(mesh.interface)
    peers = parse_peers(_dump(mesh.interface), names, time.time())
    output.document(
        {
            "interface": mesh.interface,
            "address": mesh.own.address,
            "port": mesh.port,
            "by": by,
            "up": now.up,
            "addressed": mesh.own.address in now.addresses,
            "peers": [asdict(peer) | {"connected": peer.connected} for peer in peers],
        }
    )
    output.line(
        output.paint(
            text("mesh.title", interface=mesh.interface, address=mesh.own.address, port=mesh.port, by=by), "bold"
        )
    )
    rows = [_row(output, peer) for peer in peers]
    heads = [text(f"mesh.head.{word}") for word in ("name", "address", "endpoint", "handshake", "traffic")]
    output.table(rows, heads)
    if not now.serves(mesh.own.address):
        key = "mesh.addressless" if now.up else "mesh.lies-down"
        output.warn(message(key, interface=mesh.interface, address=mesh.own.address))
    for name in sorted(set(names.values()) - {peer.name for peer in peers}):
        output.warn(message("mesh.missing-peer", name=name))


def _row(output: "Output", peer: PeerState) -> list[str]:
    if peer.handshake_s_ago is None:
        handshake = output.paint(text("mesh.never"), "red")
    else:
        ago = text("mesh.ago", seconds=round(peer.handshake_s_ago))
        handshake = output.paint(ago, "green" if peer.connected else "red")
    return [
        peer.name,
        peer.address,
        peer.endpoint,
        handshake,
        f"{_size(peer.received_bytes)} / {_size(peer.sent_bytes)}",
    ]


def _size(number: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} TB"


def _dump(interface: str) -> str:
    try:
        done = subprocess.run(
            ["wg", "show", interface, "dump"], capture_output=True, text=True, check=False, timeout=TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CommandFailed(message("mesh.no-wg", reason=str(error))) from error
    if done.returncode:
        raise CommandFailed(message("mesh.is-down", interface=interface, reason=done.stderr.strip()))
    return done.stdout
