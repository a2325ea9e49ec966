"""A stranger says something like what others said."""

from typing import Annotated

from harness.faults.declaration import Choice, Nodes, Quantity, fault
from harness.faults.declared import whom
from harness.faults.replaying import Replaying


@fault(
    family="packets",
    example="n1 --port 6379 --protocol tcp",
    proof="frames of the stranger come in at each node, and carry what nobody else has sent it",
)
class MutateDatagrams(Replaying):
    """A host that is no node hears what nodes are sent, and sends it to them changed, under the address that it had.

    Bits are flipped, bytes replaced, the end is cut off, made longer, or is that of another datagram; the sums of the
    headers are right, so it is for the program to find out. Otherwise it does what replay-datagrams does.
    """

    changes = True

    def __init__(
        self,
        nodes: Nodes,
        port: Annotated[int, Quantity("", 1, 65535, "the port that they are sent from or to")],
        protocol: Annotated[str, Choice(("udp", "tcp"), "the protocol")] = "udp",
        rate: Annotated[int, Quantity("datagrams/s", 1, 2000, "how many a second")] = 100,
    ) -> None:
        self._whom = whom(nodes)
        self._port, self._protocol, self._rate = port, protocol, rate
