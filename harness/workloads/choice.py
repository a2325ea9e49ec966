"""The client for a route of a load."""

from harness.errors import UsageError
from harness.workloads import redis
from harness.workloads.client import Client
from harness.workloads.etcd import EtcdClient
from harness.workloads.load import Load, Route


def client_for(load: Load, route: Route) -> Client:
    """A client that is not yet connected. Raises UsageError when the store has no such objects."""
    if load.store == "etcd":
        return EtcdClient(load.model, route)
    if load.model not in redis.MODELS:
        raise UsageError(f"clients of Redis know {' and '.join(redis.MODELS)}, no {load.model}")
    return redis.RedisClient(route)
