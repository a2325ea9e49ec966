"""Faults of clocks."""

from harness.faults.clock.clock_back import ClockBack
from harness.faults.clock.clock_drift import ClockDrift
from harness.faults.clock.clock_forward import ClockForward
from harness.faults.clock.clock_strobe import ClockStrobe

__all__ = ("ClockBack", "ClockDrift", "ClockForward", "ClockStrobe")
