"""A stranger announces an address."""

import asyncio
from typing import Annotated

from harness.cluster import Cluster
from harness.fabric.canary import End
from harness.fabric.tap import ETHERTYPE_ARP, Tap
from harness.fault import Effect, Seen
from harness.faults.declaration import Address, Quantity, fault
from harness.faults.select import vip_called
from harness.faults.strangers import BROADCAST, FromStranger, heard


@fault(
    family="packets",
    example="web --every 0.1",
    proof="the stranger's announcements come in at a client or node of the network",
)
class ForgeAnnouncement(FromStranger):
    """A host that is no node announces, again and again, that a virtual address is at it (gratuitous ARP).

    Every neighbour that knows the address believes the last that was said. What is sent to the stranger is lost.
    """

    ethertype = ETHERTYPE_ARP

    def __init__(
        self,
        vip: Address,
        every_s: Annotated[float, Quantity("s", 0.001, 60.0, "from one announcement to the next")] = 0.5,
    ) -> None:
        self._vip = vip
        self._every_s = every_s
        self._address = ""

    def _meant(self, cluster: Cluster) -> tuple[str, ...]:
        self._address = vip_called(cluster, self._vip)
        return (self._address,)

    async def _act(self, tap: Tap, me: End) -> None:
        from scapy.layers.l2 import ARP, Ether

        said = ARP(op=1, hwsrc=me.mac, psrc=self._address, hwdst="00:00:00:00:00:00", pdst=self._address)
        frame = bytes(Ether(src=me.mac, dst=BROADCAST) / said)
        while True:
            tap.say(frame)
            await asyncio.sleep(self._every_s)

    async def _look(self, cluster: Cluster, hearers: list[str]) -> Seen:
        """Listen for somewhat longer than from one to the next."""
        from scapy.layers.l2 import ARP, Ether

        at, stranger, within_s = hearers[0], self._mac(cluster), 1.5 * self._every_s + 0.05

        def is_its(frame: bytes) -> bool:
            said = Ether(frame).getlayer(ARP)
            return bool(said and said.hwsrc == stranger and said.psrc == said.pdst == self._address)

        if await heard(cluster, at, ETHERTYPE_ARP, is_its, within_s=within_s):
            return Seen(Effect.ALL, f"{at} hears that {self._address} is at {stranger}, which is no node's")
        return Seen(Effect.NONE, f"{at} hears nothing of the stranger in {within_s:g} s")
