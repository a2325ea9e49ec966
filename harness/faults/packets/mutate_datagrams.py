"""A stranger says something like what others said."""

from harness.faults.declaration import fault
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
