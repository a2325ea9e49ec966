"""Every fault on the local engine."""

import os

import pytest

from tests.contracts.fault import FaultContract

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="starting nodes needs root")


class TestFaultsOnLocal(FaultContract):
    """Nodes without a daemon."""

    engine = "local"
