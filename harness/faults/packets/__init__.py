"""Faults of packets."""
