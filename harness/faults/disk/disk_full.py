"""A disk is full."""

import errno
from typing import Annotated

from harness.faults.declaration import Aim, Nodes, fault
from harness.faults.declared import whom
from harness.faults.disks import OverDirectory


@fault(family="disk", example="n2 /var/lib/redis", proof="a file cannot be written there, as in the node (ENOSPC)")
class DiskFull(OverDirectory):
    """Below a directory of the nodes there is no space left, not for a file, nor for a byte of one (ENOSPC).

    What is there can be read. It holds for whatever is opened from now on; files that are open already can grow.
    """

    spare_bytes = 0
    refusal = errno.ENOSPC

    def __init__(self, nodes: Nodes, path: Annotated[str, Aim("PATH", "a directory of the node")]) -> None:
        self._whom = whom(nodes)
        self._path = path
