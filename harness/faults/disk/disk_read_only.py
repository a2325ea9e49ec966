"""A disk takes nothing any more."""

import errno
from typing import Annotated

from harness.faults.declaration import Aim, Nodes, fault
from harness.faults.declared import whom
from harness.faults.disks import OverDirectory


@fault(family="disk", example="n2 /var/lib/redis", proof="a file cannot be written there, as in the node (EROFS)")
class DiskReadOnly(OverDirectory):
    """Below a directory of the nodes nothing can be written (EROFS), as when a kernel has seen errors of its disk.

    What is there can be read. It holds for whatever is opened from now on; files that are open already can be written.
    """

    spare_bytes = None
    refusal = errno.EROFS

    def __init__(self, nodes: Nodes, path: Annotated[str, Aim("PATH", "a directory of the node")]) -> None:
        self._whom = whom(nodes)
        self._path = path
