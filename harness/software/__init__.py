"""What can run on the nodes: the HA stack, a peer that we did not write, and stores behind the virtual address."""
