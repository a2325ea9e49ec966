"""Plans on real clusters: what is decided in :mod:`harness.plans` is done here, only through ``Cluster.under``."""
