"""Ways to make a block device of a file: MooseFS's own, the kernel's NBD, and one for hosts without it."""
