"""The platform of a scenario, its owner and its visitors."""

import pytest

from fixtures.multisite.edges import Edges, Hubs
from fixtures.multisite.fleet import Fleet
from fixtures.multisite.network import Network
from fixtures.multisite.platform import Owner, visitors
from harness.cluster import Cluster
from harness.traffic import Traffic


@pytest.fixture
def owner(cluster: Cluster) -> Owner:
    """Who declares what there is."""
    return Owner(cluster)


@pytest.fixture
def visits(cluster: Cluster) -> Traffic:
    """By the edge, from outside of all sites."""
    return visitors(cluster)


@pytest.fixture
def edges(cluster: Cluster) -> Edges:
    """Whose platform is on two edges."""
    return Edges(cluster)


@pytest.fixture
def hubs(cluster: Cluster) -> Hubs:
    """Whose two edges are hubs of tunnels."""
    return Hubs(cluster)


@pytest.fixture
def fleet(cluster: Cluster) -> Fleet:
    """Who says how many of what machines are to run."""
    return Fleet(cluster)


@pytest.fixture
def network(cluster: Cluster) -> Network:
    """Whose machines are reached through tunnels only."""
    return Network(cluster)
