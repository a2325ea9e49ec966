"""Faults of what nodes share with whatever else wants it: processors, memory, disks."""

from harness.faults.resources.burn_cpu import BurnCpu
from harness.faults.resources.io_pressure import IoPressure
from harness.faults.resources.memory_pressure import MemoryPressure
from harness.faults.resources.noisy_neighbour import NoisyNeighbour

__all__ = ("BurnCpu", "IoPressure", "MemoryPressure", "NoisyNeighbour")
