"""Faults of the network."""

from harness.faults.network.block_port import BlockPort
from harness.faults.network.bridge import Bridge
from harness.faults.network.corrupt import Corrupt
from harness.faults.network.cut_site import CutSite
from harness.faults.network.delay import Delay
from harness.faults.network.drop import Drop
from harness.faults.network.duplicate import Duplicate
from harness.faults.network.flap import Flap
from harness.faults.network.halves import Halves
from harness.faults.network.isolate import Isolate
from harness.faults.network.jitter import Jitter
from harness.faults.network.link import Link
from harness.faults.network.loss import Loss
from harness.faults.network.mtu_hole import MtuHole
from harness.faults.network.mute import Mute
from harness.faults.network.partition import Partition
from harness.faults.network.rate import Rate
from harness.faults.network.reorder import Reorder
from harness.faults.network.ring import Ring
from harness.faults.network.slow_heal import SlowHeal
from harness.faults.network.unplug import Unplug
from harness.faults.network.wan_down import WanDown

__all__ = (
    "BlockPort",
    "Bridge",
    "Corrupt",
    "CutSite",
    "Delay",
    "Drop",
    "Duplicate",
    "Flap",
    "Halves",
    "Isolate",
    "Jitter",
    "Link",
    "Loss",
    "MtuHole",
    "Mute",
    "Partition",
    "Rate",
    "Reorder",
    "Ring",
    "SlowHeal",
    "Unplug",
    "WanDown",
)
