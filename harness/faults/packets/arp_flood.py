"""A flood of questions."""

import asyncio
import random
from typing import Annotated

from harness.addresses import FIRST_STRANGER
from harness.cluster import Cluster
from harness.fabric.canary import End
from harness.fabric.tap import ETHERTYPE_ARP, Tap
from harness.fault import Effect, Seen
from harness.faults.declaration import Nodes, Quantity, fault
from harness.faults.declared import whom
from harness.faults.strangers import BROADCAST, FromStranger, heard

_TICK_S = 0.01
_FRAMES = 512
_WINDOW_S = 0.2
_AT_LEAST = 0.25
"""Of what was asked for: on a busy host a task of ours does not run each time it should."""


@fault(
    family="packets",
    example="all --rate 500",
    proof="of the stranger's questions so many come in at a client or node within 200 ms",
)
class ArpFlood(FromStranger):
    """A host that is no node asks for the addresses of nodes (ARP), each time as somebody else who is not there.

    Every question is broadcast, and takes a place in the tables of bridges and of the kernels that answer it.
    """

    ethertype = ETHERTYPE_ARP

    def __init__(
        self,
        nodes: Nodes,
        rate: Annotated[int, Quantity("frames/s", 10, 20_000, "how many a second")] = 1000,
    ) -> None:
        self._whom = whom(nodes)
        self._rate = rate
        self._frames: list[bytes] = []

    def _meant(self, cluster: Cluster) -> tuple[str, ...]:
        from scapy.layers.l2 import ARP, Ether

        nodes, chance = self._whom(cluster), random.Random(cluster.random.random())
        nobody = _hosts_of_nobody(cluster)
        self._frames = []
        for _ in range(_FRAMES):
            asked = cluster.plan.address(chance.choice(nodes))
            mac = "06:f1:00:" + ":".join(f"{chance.randrange(256):02x}" for _ in range(3))
            asker = f"{asked.rpartition('.')[0]}.{chance.choice(nobody)}"
            question = ARP(op=1, hwsrc=mac, psrc=asker, hwdst="00:00:00:00:00:00", pdst=asked)
            self._frames.append(bytes(Ether(src=mac, dst=BROADCAST) / question))
        return nodes

    async def _act(self, tap: Tap, me: End) -> None:
        sent, began_s = 0, asyncio.get_running_loop().time()
        while True:
            due = int((asyncio.get_running_loop().time() - began_s) * self._rate)
            for number in range(sent, min(due, sent + self._rate)):
                tap.say(self._frames[number % _FRAMES])
            sent = due
            await asyncio.sleep(_TICK_S)

    async def _look(self, cluster: Cluster, hearers: list[str]) -> Seen:
        """Count for a moment."""
        at = hearers[0]
        enough = max(2, int(_AT_LEAST * self._rate * _WINDOW_S))
        found = await heard(cluster, at, ETHERTYPE_ARP, _is_forged, within_s=_WINDOW_S, enough=enough)
        told = f"{at} hears {found} forged questions or more in {_WINDOW_S * 1000:.0f} ms"
        return Seen(Effect.ALL if found >= enough else Effect.SOME if found else Effect.NONE, told)


def _hosts_of_nobody(cluster: Cluster) -> list[int]:
    """Host numbers that are nobody's: a question by somebody who is there would move his address to the stranger."""
    taken = [cluster.plan.address(name) for name in cluster.topology.endpoints]
    taken += [cluster.plan.vip(vip.name) for vip in cluster.topology.vips]
    numbers = {int(address.rpartition(".")[2]) for address in taken}
    return [number for number in range(1, FIRST_STRANGER) if number not in numbers]


def _is_forged(frame: bytes) -> bool:
    return frame[6:9] == b"\x06\xf1\x00"
