"""Nodes are alone."""

from harness.faults.cutting import CutOff
from harness.faults.declaration import fault


@fault(family="network", example="n2", proof="canaries to and from the nodes are lost, and its rules count them")
class Isolate(CutOff):
    """Nodes, each from everybody else: other nodes and clients."""
