"""Nodes are alone."""

from harness.faults.cutting import CutOff
from harness.faults.declaration import Nodes, fault
from harness.faults.declared import whom


@fault(family="network", example="n2", proof="canaries to and from the nodes are lost, and its rules count them")
class Isolate(CutOff):
    """Nodes, each from everybody else: other nodes and clients."""

    def __init__(self, nodes: Nodes) -> None:
        self._whom = whom(nodes)
