"""Speaking with the kernel: netlink, written by hand since it has to be quick, and rules of the packet filter."""
