"""Faults of disks."""

from harness.faults.disk.disk_full import DiskFull
from harness.faults.disk.disk_read_only import DiskReadOnly

__all__ = ("DiskFull", "DiskReadOnly")
