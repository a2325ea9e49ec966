"""Every fault on nodes with kernels of their own."""

from tests.contracts.fault import FaultContract
from tests.engines.hosted_runs import needs

pytestmark = needs("uml")


class TestFaultsOnUml(FaultContract):
    """Nodes whose kernel, clock and disk are nobody else's."""

    engine = "uml"
