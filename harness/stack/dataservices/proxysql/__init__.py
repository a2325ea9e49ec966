"""ProxySQL before Galera: writes go to one node, reads to all; and the failover that proves it."""
