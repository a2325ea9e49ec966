"""A stranger says again what others said."""

from harness.faults.declaration import fault
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
