"""Announcements of an address are lost."""

import asyncio

from harness.cluster import Cluster
from harness.fabric.layout import Flow
from harness.fabric.tap import ETHERTYPE_ARP
from harness.fault import Effect, Seen
from harness.faults.cutting import Cutting
from harness.faults.declaration import Address, fault
from harness.faults.select import vip_called
from harness.faults.strangers import BROADCAST, heard

PROBE = "192.0.2.77"
"""An address for documentation (RFC 5737): its announcements teach nobody anything, and are swallowed as well."""
_WITHIN_S = 0.1
_TIMES = 3


@fault(
    family="packets",
    example="web",
    proof="an announcement of ours, for an address that nobody has, does not come in, and its rule counts it",
)
class SwallowAnnouncements(Cutting):
    """What nodes announce of a virtual address (gratuitous ARP) reaches nobody; whoever asks for it is answered.

    So who knows the address from before goes on sending to its last holder.
    """

    def __init__(self, vip: Address) -> None:
        self._vip = vip
        self._address = ""

    def lacks(self, cluster: Cluster) -> str | None:
        """Somebody who could hear an announcement, maybe."""
        enough = len(cluster.topology.endpoints) > 1
        return None if enough else "nobody but one node is in the topology: take one with clients, or with more nodes"

    def _aim(self, cluster: Cluster) -> tuple[tuple[str, ...], tuple[Flow, ...]]:
        self._address = vip_called(cluster, self._vip)
        everybody = cluster.topology.endpoints
        flows = (Flow((name,), tuple(one for one in everybody if one != name)) for name in cluster.topology.node_names)
        return (self._address,), tuple(flows)

    def _only(self) -> str:
        both = f"{{ {self._address}, {PROBE} }}"
        return f"ether type arp arp saddr ip {both} arp daddr ip {both}"

    async def see(self, cluster: Cluster) -> Seen:
        """Have a node announce the address of nobody, and listen where it should come in."""
        speaker, hearer = self._pair(cluster)
        if not hearer:
            return Seen(Effect.NONE, "nobody is there to announce something, and somebody else to hear it")
        listening = asyncio.create_task(heard(cluster, hearer, ETHERTYPE_ARP, _is_probe, within_s=_WITHIN_S))
        await asyncio.sleep(0)  # it listens from here on
        await _announce(cluster, speaker)
        came = await listening
        dropped = self._cut.dropped_packets() if self._cut is not None else 0
        told = f"an announcement of {PROBE} by {speaker} {'came in' if came else 'did not come in'} at {hearer}"
        if came:
            return Seen(Effect.NONE, told)
        return Seen(Effect.ALL if dropped else Effect.SOME, f"{told}; {dropped} announcements dropped")

    def _pair(self, cluster: Cluster) -> tuple[str, str]:
        """A node with power and another endpoint in the same network."""
        topology = cluster.topology
        for speaker in filter(cluster.is_up, topology.node_names):
            place = topology.place_of(speaker)
            near = topology.endpoints_at(place) if topology.lan == "routed" else topology.endpoints
            for hearer in near:
                if hearer != speaker and cluster.is_up(hearer):
                    return speaker, hearer
        return "", ""


async def _announce(cluster: Cluster, node: str) -> None:
    from scapy.layers.l2 import ARP, Ether

    mac = cluster.plan.mac(node)
    said = ARP(op=1, hwsrc=mac, psrc=PROBE, hwdst="00:00:00:00:00:00", pdst=PROBE)
    speaker = await asyncio.to_thread(cluster.fabric.speaker, node)
    try:
        for _ in range(_TIMES):
            speaker.send(bytes(Ether(src=mac, dst=BROADCAST) / said))
            await asyncio.sleep(_WITHIN_S / _TIMES / 2)
    finally:
        await asyncio.to_thread(speaker.close)


def _is_probe(frame: bytes) -> bool:
    from scapy.layers.l2 import ARP, Ether

    said = Ether(frame).getlayer(ARP)
    return bool(said and said.psrc == said.pdst == PROBE)
