"""The network between nodes: sites, a WAN, ports, cuts. The same for every engine."""
