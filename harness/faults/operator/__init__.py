"""What an operator does, in the middle of other faults."""

from harness.faults.operator.operate import Operate

__all__ = ("Operate",)
