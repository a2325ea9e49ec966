"""Addresses of one run: derived from its id, so that runs side by side never share one.

Host numbers in the service network: nodes .1 to .99 (their ids), virtual addresses
.100 to .199, clients .201 to .232, hosts that are no nodes .241 to .250, the gateway of a routed site .254.
In the mesh: the node id.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property

from harness.errors import UsageError
from harness.topology import FIRST_VIP, LAST_VIP, WAN, Topology

PREFIX_LENGTH = 24
POWER_PORT, WRITES_PORT = 8701, 8702
"""Where what is outside (:mod:`harness.outside`) listens: at the address of the topology's first client."""
FIRST_CLIENT = 201
FIRST_STRANGER, LAST_STRANGER = 241, 250
GATEWAY_HOST = 254
_NODE, _CLIENT, _GATEWAY, _STRANGER = 1, 2, 3, 4
_SECOND_OCTETS = 100
_SERVICE_FROM, _MESH_FROM = 16, 116


@dataclass(frozen=True)
class AddressPlan:
    """Every address of a run, as plain text without prefix length (all networks are /24)."""

    topology: Topology
    run_id: str

    @cached_property
    def _digest(self) -> bytes:
        return hashlib.sha256(self.run_id.encode()).digest()

    # --- networks ----------------------------------------------------------------------------------

    def network(self, place: str) -> str:
        """The service network at a site or "wan", such as "10.77.1.0/24"; the same everywhere when stretched."""
        return f"{self._prefix(place)}.0/{PREFIX_LENGTH}"

    @property
    def mesh_network(self) -> str:
        """The network of the tunnels between the nodes."""
        return f"{self._mesh_prefix}.0/{PREFIX_LENGTH}"

    def gateway(self, place: str) -> str:
        """The router's address at a site or "wan" of a routed LAN (UsageError for a stretched one: it has none)."""
        if self.topology.lan != "routed":
            raise UsageError('a stretched LAN has no gateway; lan = "routed" has one per site')
        return f"{self._prefix(place)}.{GATEWAY_HOST}"

    # --- hosts -------------------------------------------------------------------------------------

    def address(self, endpoint: str) -> str:
        """The service address of a node or client."""
        prefix = self._prefix(self.topology.place_of(endpoint))
        if endpoint in self.topology.node_names:
            return f"{prefix}.{self.topology.node(endpoint).id}"
        return f"{prefix}.{FIRST_CLIENT + self._client_index(endpoint)}"

    def mesh_address(self, node: str) -> str:
        """The address of a node inside the mesh."""
        return f"{self._mesh_prefix}.{self.topology.node(node).id}"

    def vip(self, name: str) -> str:
        """A virtual address. In a routed LAN it belongs to the network of the first node's site."""
        given = self.topology.vip(name).address
        if given is not None:
            return given
        taken = {vip.address for vip in self.topology.vips}
        prefix = self._prefix(self.topology.nodes[0].site)
        free = [f"{prefix}.{host}" for host in range(FIRST_VIP, LAST_VIP + 1) if f"{prefix}.{host}" not in taken]
        allocated = [vip.name for vip in self.topology.vips if vip.address is None]
        return free[allocated.index(name)]

    def mac(self, endpoint: str) -> str:
        """The hardware address of a node's or client's port: the same after every boot, unique per run."""
        if endpoint in self.topology.node_names:
            return self._mac(_NODE, self.topology.node(endpoint).id)
        return self._mac(_CLIENT, self._client_index(endpoint))

    def gateway_mac(self, place: str) -> str:
        """The hardware address of the router's port at a site or "wan"."""
        return self._mac(_GATEWAY, self._place_index(place))

    def stranger_address(self, place: str, number: int) -> str:
        """The address of a host in a network that is no node (UsageError for a number without one)."""
        if not 0 <= number <= LAST_STRANGER - FIRST_STRANGER:
            raise UsageError(f"strangers are numbered 0 to {LAST_STRANGER - FIRST_STRANGER}")
        return f"{self._prefix(place)}.{FIRST_STRANGER + number}"

    def stranger_mac(self, number: int) -> str:
        """The hardware address of such a host."""
        return self._mac(_STRANGER, number)

    # --- how they are made -------------------------------------------------------------------------

    def _prefix(self, place: str) -> str:
        index = self._place_index(place)
        if self.topology.subnet is not None:
            return self.topology.subnet.removesuffix(".0/24")
        step = index if self.topology.lan == "routed" else 0
        return f"10.{_SERVICE_FROM + self._digest[0] % _SECOND_OCTETS}.{(self._digest[1] + step) % 256}"

    @property
    def _mesh_prefix(self) -> str:
        # A range of its own, so that a mesh address never equals a service address.
        return f"10.{_MESH_FROM + self._digest[0] % _SECOND_OCTETS}.{self._digest[1]}"

    def _mac(self, kind: int, number: int) -> str:
        return ":".join(f"{byte:02x}" for byte in (0x02, *self._digest[2:5], kind, number))

    def _place_index(self, place: str) -> int:
        places = (*self.topology.site_names, WAN)
        if place not in places:
            raise UsageError(f"the topology has no place {place!r}; allowed: {', '.join(places)}")
        return places.index(place)

    def _client_index(self, name: str) -> int:
        client = self.topology.client(name)
        return self.topology.clients.index(client)
