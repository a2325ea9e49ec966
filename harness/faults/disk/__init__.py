"""Faults of disks."""

from harness.faults.disk.bad_sectors import BadSectors
from harness.faults.disk.disk_full import DiskFull
from harness.faults.disk.disk_read_only import DiskReadOnly
from harness.faults.disk.disk_slow import DiskSlow
from harness.faults.disk.flip_bits import FlipBits
from harness.faults.disk.torn_write import TornWrite

__all__ = ("BadSectors", "DiskFull", "DiskReadOnly", "DiskSlow", "FlipBits", "TornWrite")
