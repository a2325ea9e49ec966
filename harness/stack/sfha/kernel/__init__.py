"""Speaking with the kernel in its own language: netlink, written by hand since it has to be quick."""
