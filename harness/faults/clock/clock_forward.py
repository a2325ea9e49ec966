"""A clock jumps forward."""

from typing import Annotated

from harness.faults.clocks import SetWrong
from harness.faults.declaration import Nodes, Quantity, fault
from harness.faults.declared import whom


@fault(family="clock", example="n2 --by 3600", proof="the time that the node tells, beside the host's, with its error")
class ClockForward(SetWrong):
    """The clocks of nodes are set forward, once, while everything runs: the time of day, as a person or NTP may do.

    What is due by the time of day is due, all of it: leases, certificates and tokens that carry times run out.
    Clocks that measure spans of time (CLOCK_MONOTONIC) go on as before.
    """

    def __init__(
        self, nodes: Nodes, by_s: Annotated[float, Quantity("s", 1.0, 315_360_000.0, "by how much")] = 3600.0
    ) -> None:
        self._whom = whom(nodes)
        self._ahead_s = by_s
