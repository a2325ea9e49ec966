"""Failovers that are quicker than the stores' own, because a cluster manager knows of a death, and has proof of it."""
