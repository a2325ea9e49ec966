"""Faults of resources."""

from harness.faults.resources.burn_cpu import BurnCpu

__all__ = ("BurnCpu",)
