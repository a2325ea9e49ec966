"""A stranger has the same address."""

from harness.cluster import Cluster
from harness.fabric.canary import End
from harness.fabric.tap import ETHERTYPE_ARP, Tap
from harness.fault import Effect, Seen
from harness.faults.declaration import Address, fault
from harness.faults.select import vip_called
from harness.faults.strangers import FromStranger

_LISTEN_S = 0.1


@fault(
    family="packets",
    example="web",
    proof="who asks in the network for the address (ARP) is answered by the stranger",
)
class AddressConflict(FromStranger):
    """A host that is no node answers whoever asks for a virtual address, as if the address were its own.

    It announces nothing, and takes nothing that is sent to it: clients that believe it are lost for as long as they do.
    """

    ethertype = ETHERTYPE_ARP

    def __init__(self, vip: Address) -> None:
        self._vip = vip
        self._address = ""

    def _meant(self, cluster: Cluster) -> tuple[str, ...]:
        self._address = vip_called(cluster, self._vip)
        return (self._address,)

    async def _act(self, tap: Tap, me: End) -> None:
        from scapy.layers.l2 import ARP, Ether

        while True:
            asked = Ether(await tap.next()).getlayer(ARP)
            if asked is not None and asked.op == 1 and asked.pdst == self._address and asked.psrc != self._address:
                reply = ARP(op=2, hwsrc=me.mac, psrc=self._address, hwdst=asked.hwsrc, pdst=asked.psrc)
                tap.say(bytes(Ether(src=me.mac, dst=asked.hwsrc) / reply))

    async def _look(self, cluster: Cluster, hearers: list[str]) -> Seen:
        """Ask as a client would before it takes an address (RFC 5227): that teaches nobody anything."""
        from scapy.layers.l2 import ARP, Ether

        asker, stranger = hearers[0], self._mac(cluster)
        end = cluster.fabric.end(asker)
        question = Ether(src=end.mac, dst="ff:ff:ff:ff:ff:ff") / ARP(
            op=1, hwsrc=end.mac, psrc="0.0.0.0", pdst=self._address
        )

        def is_its_answer(frame: bytes) -> bool:
            answer = Ether(frame).getlayer(ARP)
            return bool(answer and answer.op == 2 and answer.psrc == self._address and answer.hwsrc == stranger)

        tap = Tap(end, ETHERTYPE_ARP)
        try:
            tap.say(bytes(question))
            answers = await tap.count(is_its_answer, within_s=_LISTEN_S, enough=1)
        finally:
            await tap.close()
        told = f"{asker} asked who has {self._address}: "
        if answers:
            return Seen(Effect.ALL, told + f"{stranger}, which is no node's, answered")
        return Seen(Effect.NONE, told + f"{stranger}, which is no node's, did not answer")
