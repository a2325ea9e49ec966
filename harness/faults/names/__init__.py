"""Faults of names."""

from harness.faults.names.hosts_wrong import HostsWrong
from harness.faults.names.resolver_dead import ResolverDead
from harness.faults.names.resolver_lies import ResolverLies

__all__ = ("HostsWrong", "ResolverDead", "ResolverLies")
