"""sfha beside the program that breaks it."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.addresses import AddressPlan
from harness.engines.engine import NodeFile
from harness.errors import UsageError
from harness.near import meant
from harness.subjects.boot import EXECUTABLE
from harness.subjects.sfha.planted.defects import PLANTED
from harness.subjects.sfha.planted.program import SETTINGS, Settings
from harness.subjects.sfha.subject import Sfha
from harness.topology import Topology

_PLACE = "/usr/local/lib/harness"
_MODULES = ("__init__.py", "defects.py", "watch.py", "program.py")
_STARTS = f"""\
#!/bin/sh
exec /usr/bin/python3 -ISEB -c 'import sys; sys.path.insert(0, "{_PLACE}"); from planted.program import main; main()'
"""


@dataclass(frozen=True)
class PlantedSfha(Sfha):
    """sfha with one of PLANTED. Raises UsageError for another name."""

    name = "sfha-planted"

    planted: str = "rebooted-unplugged"

    def __post_init__(self) -> None:
        if self.planted not in PLANTED:
            names = ", ".join(PLANTED)
            raise UsageError(f"planted is {self.planted!r}; allowed: {names}{meant(self.planted, PLANTED)}")

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """Those of sfha, and what breaks it."""
        settings = Settings(
            planted=self.planted,
            address=plan.vip(topology.vips[0].name),
            node=node,
            addresses={name: plan.address(name) for name in topology.node_names},
        )
        here = Path(__file__).parent
        return (
            *super().files(node, topology, plan),
            *(NodeFile(f"{_PLACE}/planted/{name}", (here / name).read_bytes()) for name in _MODULES),
            NodeFile(f"/{SETTINGS}", json.dumps(asdict(settings), indent=2).encode()),
            NodeFile("/etc/boot.d/50-planted", _STARTS.encode(), EXECUTABLE),
        )
