"""Ways to make a block device of a file: MooseFS's own, the kernel's NBD, and one for hosts without it."""

POOL_OF = {"mfsbdev": "nbd", "nbd-client": "nbd", "userspace": "loop"}
"""Whose indexes are the same devices: two drivers of one pool must not give one to two volumes."""
