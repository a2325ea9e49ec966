"""A cluster that does not run: whom a name means can be told from its topology."""

import pytest

from harness.cluster import Cluster
from harness.topology import load
from tests.clusters import TOPOLOGY, unstarted


@pytest.fixture
def five() -> Cluster:
    """Five nodes."""
    return unstarted(load(TOPOLOGY.with_name("five-nodes.toml")))
