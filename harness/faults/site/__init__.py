"""Faults of sites."""

from harness.faults.site.brown_out import BrownOut

__all__ = ("BrownOut",)
