"""A chaos and end-to-end test harness for high-availability stacks."""

__version__ = "0.1.0"
