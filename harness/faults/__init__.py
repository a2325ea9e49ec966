"""Faults: each proves from outside that it bites, and heals in every case."""
