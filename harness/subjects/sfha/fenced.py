"""sfha with fencing: with a service that must never run twice and writes to a place outside of the cluster, or with a
program that is told of dead nodes and notes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness.addresses import POWER_PORT, WRITES_PORT, AddressPlan
from harness.engines.engine import NodeFile
from harness.subjects.boot import EXECUTABLE
from harness.subjects.sfha.subject import Sfha
from harness.topology import Topology

SERVICE = "writer"
POWER_PROGRAM, WRITER_PROGRAM = "/usr/local/sbin/power", "/usr/local/bin/writer"
TOLD_PROGRAM, NOTES = "/usr/local/sbin/told", "/var/lib/told"
"""The program that is told, and its notes: a line when it begins, one when it ends."""

# `status` prints what the switch answers; `off` and `on` return when it is done.
_POWER = """\
#!/bin/sh
case "$1" in
    status) exec curl -fsS --max-time 5 "http://{switch}/$2" ;;
    *) exec curl -fsS --max-time 20 -o /dev/null -X POST "http://{switch}/$2/$1" ;;
esac
"""

# One line every 20 ms, for as long as it lives. It never gives up and never asks whether it may.
_WRITER = """\
#!/usr/bin/python3 -ISE
import socket
import time

LINE = b'["{service}", "{node}"]\\n'
while True:
    try:
        with socket.create_connection(("{host}", {port}), timeout=2) as link:
            while True:
                link.sendall(LINE)
                time.sleep(0.02)
    except OSError:
        time.sleep(0.02)
"""

_TOLD = """\
#!/bin/sh
echo "begin $1 $2" >>{notes}
sleep {takes_s:g}
echo "end $1 $2" >>{notes}
"""


@dataclass(frozen=True)
class FencedSfha(Sfha):
    """sfha that fences through the power switch outside, and runs the writer. Limits are in seconds."""

    name = "sfha-fenced"

    fencing: bool = True
    provider: Literal["command", "webhook"] = "command"
    exclusive: bool = True
    guarded: bool = True
    """Whether the lease guards the addresses."""
    writes: bool = True
    """Whether it runs the writer."""
    told_takes_s: float | None = None
    """How long the program that is told takes each time; None: there is none."""
    fence_delay_s: int = 2
    grace_s: int = 0
    min_delay_s: int = 60
    max_fences: int = 2

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """Those of sfha, and the programs."""
        host = plan.address(topology.clients[0].name)
        power = _POWER.format(switch=f"{host}:{POWER_PORT}")
        writer = _WRITER.format(service=SERVICE, node=node, host=host, port=WRITES_PORT)
        told = _TOLD.format(notes=NOTES, takes_s=self.told_takes_s or 0.0)
        return (
            *super().files(node, topology, plan),
            NodeFile(POWER_PROGRAM, power.encode(), EXECUTABLE),
            NodeFile(WRITER_PROGRAM, writer.encode(), EXECUTABLE),
            NodeFile(TOLD_PROGRAM, told.encode(), EXECUTABLE),
        )

    def _config(self, node: str, topology: Topology, plan: AddressPlan) -> dict[str, Any]:
        switch = f"http://{plan.address(topology.clients[0].name)}:{POWER_PORT}/{{node}}"
        access: dict[str, Any] = {"program": POWER_PROGRAM}
        if self.provider == "webhook":
            access = {"url": f"{switch}/{{action}}", "status_url": switch, "status_off": "off"}
        service = {"name": SERVICE, "type": "process", "command": WRITER_PROGRAM, "exclusive": self.exclusive}
        stonith: dict[str, Any] = {
            "enabled": self.fencing,
            "provider": self.provider,
            self.provider: access,
            "nodes": {name: {} for name in topology.node_names},
            "safety": {
                "fence_delay_on_node_left": self.fence_delay_s,
                "startup_grace_period": self.grace_s,
                "min_delay_between_fence": self.min_delay_s,
                "max_fences_per_5min": self.max_fences,
            },
        }
        if self.told_takes_s is not None:
            stonith["notify"] = {"program": TOLD_PROGRAM}
        config = super()._config(node, topology, plan)
        vips = config["vips"] if self.guarded else [vip | {"lease": False} for vip in config["vips"]]
        return config | {"vips": vips, "services": [service] if self.writes else [], "stonith": stonith}
