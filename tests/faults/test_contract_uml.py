"""Every fault on nodes with kernels of their own: ten minutes of clusters, so only where it is asked for."""

import pytest

from tests.contracts.fault import FaultContract
from tests.engines.hosted_runs import needs

pytestmark = [*needs("uml"), pytest.mark.thorough]


class TestFaultsOnUml(FaultContract):
    """Nodes whose kernel, clock and disk are nobody else's."""

    engine = "uml"
