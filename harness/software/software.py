"""What runs on the nodes of a cluster: the system under test, and stores that it makes available."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from harness.addresses import AddressPlan
from harness.engines.engine import NodeFile
from harness.topology import Topology


class Software(Protocol):
    """Puts files on a node; what it puts into /etc/boot.d is started at every boot of the node."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def service_port(self) -> int:
        """Where it answers clients (TCP); 0 when it does not."""

    @property
    def has_membership(self) -> bool:
        """Whether it runs Corosync, which can then be asked for members and quorum."""

    def layers(self, image: Path) -> Sequence[Path]:
        """Directories to be laid over the node image."""

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """The files of one node."""

    def configuration_paths(self) -> Sequence[str]:
        """Files of a node that must be the same on all nodes; compared after every scenario."""

    def log_path(self) -> str | None:
        """The subject's structured log on a node (JSON lines with ``t_s`` and ``event``), if it has one."""

    def first_look(self) -> str:
        """What a person calls on a first node to see how it does, or to make it do something."""

    def settings(self) -> Mapping[str, Any]:
        """What the run's record says of it."""
