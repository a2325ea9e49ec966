"""What the scenarios of this suite run on."""

import pytest
from nginx_keepalived import NginxKeepalived

from harness import ClusterDesign, design_for


@pytest.fixture
def cluster_design(request: pytest.FixtureRequest, engine_name: str) -> ClusterDesign:
    """Three web servers in one site, a topology that ships, unless a scenario has marks that say otherwise."""
    return design_for(request, engine_name, software=(NginxKeepalived(),), topology="single-site")
