"""Faults of names."""

from harness.faults.names.hosts_wrong import HostsWrong
from harness.faults.names.resolver_dead import ResolverDead

__all__ = ("HostsWrong", "ResolverDead")
