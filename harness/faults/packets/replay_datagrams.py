"""A stranger says again what others said."""

from typing import Annotated

from harness.faults.declaration import Choice, Nodes, Quantity, fault
from harness.faults.declared import whom
from harness.faults.replaying import Replaying


@fault(
    family="packets",
    example="n1 --port 6379 --protocol tcp",
    proof="frames of the stranger come in at each node, and carry what others have sent it, word for word",
)
class ReplayDatagrams(Replaying):
    """A host that is no node hears what nodes are sent, and sends it to them again, word for word, under the address
    that it had.

    It keeps the last thousand datagrams to each node, from and to one port, and sends one of them each time, so new
    and old ones come at random. To hear what was not sent to it takes a place on the way, which it has.
    """

    changes = False

    def __init__(
        self,
        nodes: Nodes,
        port: Annotated[int, Quantity("", 1, 65535, "the port that they are sent from or to")],
        protocol: Annotated[str, Choice(("udp", "tcp"), "the protocol")] = "udp",
        rate: Annotated[int, Quantity("datagrams/s", 1, 2000, "how many a second")] = 100,
    ) -> None:
        self._whom = whom(nodes)
        self._port, self._protocol, self._rate = port, protocol, rate
