"""The tunnel's interface on this machine (wg(8), ip(8)). Every method blocks, and raises WireGuardError."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from ...kit import wireguard
from ...kit.wireguard import WireGuardError
from ...kit.wireguard_peers import SeenPeer

MTU = 1420
"""What fits into 1500 bytes, over IPv6 as well."""


class Interface:
    """One interface of WireGuard. Only what differs is told, so a daemon that begins anew disturbs nobody."""

    def __init__(self, name: str, port: int) -> None:
        self.name, self.port = name, port

    def up(self, private_key: str, address: str, network: str) -> bool:
        """Have it, with this key and address, and a route to the network; whether it was made just now."""
        made = not wireguard.is_up(self.name)
        if made:
            wireguard.make(self.name)
        if made or wireguard.run("wg", "show", self.name, "listen-port").strip() != str(self.port):
            wireguard.run("wg", "set", self.name, "listen-port", str(self.port))
        wireguard.set_private_key(self.name, private_key)
        self._addressed(address, network)
        return made

    def set_private_key(self, private_key: str) -> None:
        """Be somebody else from now on."""
        wireguard.set_private_key(self.name, private_key)

    def is_there(self) -> bool:
        """Whether nobody has removed it."""
        return wireguard.is_up(self.name)

    def seen(self) -> Mapping[str, SeenPeer]:
        """Every peer, by public key."""
        return wireguard.peers(self.name)

    def tell(self, changes: Sequence[Sequence[str]]) -> None:
        """Changes of peers, all in one go."""
        if changes:
            wireguard.run("wg", "set", self.name, *(word for change in changes for word in change))

    def forward(self) -> None:
        """Pass on what comes out of the tunnel: into the tunnel, from site to site."""
        place = Path(f"/proc/sys/net/ipv4/conf/{self.name}/forwarding")
        try:
            if place.read_text().strip() != "1":
                place.write_text("1")
        except OSError as error:
            raise WireGuardError(f"{place} cannot be written: {error.strerror}") from error

    def _addressed(self, address: str, network: str) -> None:
        shown = wireguard.run("ip", "-o", "-4", "address", "show", "dev", self.name).split()
        has = [after for word, after in pairwise(shown) if word == "inet"]
        wanted = f"{address}/32"
        first = f"address flush dev {self.name}\naddress add {wanted} dev {self.name}\n"
        wireguard.run(
            *("ip", "-batch", "-"),
            stdin=("" if has in ([wanted], [address]) else first)
            + f"link set {self.name} mtu {MTU} up\nroute replace {network} dev {self.name} src {address}\n",
        )
