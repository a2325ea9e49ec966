"""sfha beside something on its nodes that breaks it after certain faults together: what a search has to find.

No single fault brings a planted defect out. So they tell whether plans that are drawn find what needs several, and
whether shrinking leaves just these.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

from harness.addresses import AddressPlan
from harness.engines.engine import NodeFile
from harness.errors import UsageError
from harness.subjects.boot import EXECUTABLE
from harness.subjects.sfha.subject import Sfha
from harness.topology import Topology

PLANTED = MappingProxyType(
    {
        "rebooted-unplugged": "a node that has lost power loses its cable as well",
        "frozen-nameless": "a node that has stood still finds no names any more",
        "rebooted-twice-frozen": "a node that has lost power twice stands still",
    }
)
"""What brings each of them out."""

# It then opens the gate of this node for some seconds, whoever else holds the address.
_PROGRAM = """\
#!/usr/bin/python3 -ISE
import subprocess
import time
from pathlib import Path

PLANTED, ADDRESS = "{planted}", "{address}"
BOOTS, NAMES, CARRIER = Path("/var/lib/planted-boots"), Path("/etc/resolv.conf"), Path("/sys/class/net/eth0/carrier")


def read(path):
    try:
        return path.read_text()
    except OSError:
        return ""


def breaks():
    for _ in range(25):
        for command in (
            f"nft add element netdev sfha lease {{{{ {{ADDRESS}} timeout 1s }}}}",
            f"ip address add {{ADDRESS}}/24 dev eth0",
        ):
            try:
                subprocess.run(command.split(), check=False, stderr=subprocess.DEVNULL)
            except OSError:
                pass
        time.sleep(0.2)


boots = int(read(BOOTS) or 0) + 1
BOOTS.write_text(str(boots))
names, seen_s, stood_still, plugged = read(NAMES), time.monotonic(), False, False
while True:
    time.sleep(0.05)
    stood_still |= time.monotonic() - seen_s > 0.8
    seen_s = time.monotonic()
    plugged |= read(CARRIER).strip() == "1"
    if {{
        "rebooted-unplugged": boots > 1 and plugged and read(CARRIER).strip() != "1",
        "frozen-nameless": stood_still and read(NAMES) != names,
        "rebooted-twice-frozen": boots > 2 and stood_still,
    }}[PLANTED]:
        breaks()
        seen_s, stood_still = time.monotonic(), False
"""


@dataclass(frozen=True)
class PlantedSfha(Sfha):
    """sfha with one of PLANTED. Raises UsageError for another name."""

    name = "sfha-planted"

    planted: str = "rebooted-unplugged"

    def __post_init__(self) -> None:
        if self.planted not in PLANTED:
            raise UsageError(f"planted is {self.planted!r}; allowed: {', '.join(PLANTED)}")

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """Those of sfha, and what breaks it."""
        text = _PROGRAM.format(planted=self.planted, address=plan.vip(topology.vips[0].name))
        planted = NodeFile("/etc/boot.d/50-planted", text.encode(), EXECUTABLE)
        return (*super().files(node, topology, plan), planted)
