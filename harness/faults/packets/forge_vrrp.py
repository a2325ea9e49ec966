"""A stranger is the master of a virtual router."""

import asyncio
from typing import Annotated

from harness.cluster import Cluster
from harness.fabric.canary import End
from harness.fabric.tap import ETHERTYPE_IPV4, Tap
from harness.fault import Seen
from harness.faults.declaration import Address, Quantity, fault
from harness.faults.declared import judged
from harness.faults.select import vip_called
from harness.faults.strangers import FromStranger, heard

_GROUP, _GROUP_MAC, _PROTOCOL, _TTL = "224.0.0.18", "01:00:5e:00:00:12", 112, 255


@fault(
    family="packets",
    example="web --router-id 77 --every 0.1",
    proof="the stranger's advertisements come in at every node of the network",
)
class ForgeVrrp(FromStranger):
    """A host that is no node advertises a virtual router with priority 255 (VRRP version 3, RFC 5798).

    To whoever speaks VRRP without authentication it is the owner of the address: a master of less gives it up. Whoever
    does not speak it hears a packet of no use.
    """

    ethertype = ETHERTYPE_IPV4

    def __init__(
        self,
        vip: Address,
        router_id: Annotated[int, Quantity("", 1, 255, "the virtual router that it claims")] = 51,
        priority: Annotated[int, Quantity("", 1, 255, "with which priority")] = 255,
        every_s: Annotated[float, Quantity("s", 0.01, 10.0, "from one advertisement to the next")] = 0.1,
    ) -> None:
        self._vip = vip
        self._router_id, self._priority, self._every_s = router_id, priority, every_s
        self._address = ""

    def _meant(self, cluster: Cluster) -> tuple[str, ...]:
        self._address = vip_called(cluster, self._vip)
        return (self._address,)

    async def _act(self, tap: Tap, me: End) -> None:
        from scapy.layers.inet import IP
        from scapy.layers.l2 import Ether
        from scapy.layers.vrrp import VRRPv3

        advertisement = VRRPv3(
            vrid=self._router_id,
            priority=self._priority,
            adv=max(1, round(self._every_s * 100)),
            addrlist=[self._address],
        )
        packet = IP(src=me.address, dst=_GROUP, ttl=_TTL, proto=_PROTOCOL) / advertisement
        frame = bytes(Ether(src=me.mac, dst=_GROUP_MAC) / packet)
        while True:
            tap.say(frame)
            await asyncio.sleep(self._every_s)

    async def _look(self, cluster: Cluster, hearers: list[str]) -> Seen:
        """Listen at every node, for somewhat longer than from one to the next."""
        stranger = bytes.fromhex(self._mac(cluster).replace(":", ""))
        nodes = [name for name in hearers if name in cluster.topology.node_names]

        def is_its(frame: bytes) -> bool:
            return frame[6:12] == stranger and frame[23] == _PROTOCOL

        within_s = 1.5 * self._every_s + 0.05
        found = await asyncio.gather(
            *(heard(cluster, name, ETHERTYPE_IPV4, is_its, within_s=within_s) for name in nodes)
        )
        hearing = [name for name, count in zip(nodes, found, strict=True) if count]
        told = f"forged advertisements of router {self._router_id} come in at: {', '.join(hearing) or 'no node'}"
        return judged(len(hearing), len(nodes), told)
