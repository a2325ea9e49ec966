"""Every fault on the engines that need a daemon, where one runs."""

from tests.contracts.fault import FaultContract
from tests.engines.hosted_runs import needs


@needs("docker")[0]
class TestFaultsOnDocker(FaultContract):
    """Nodes in Docker containers."""

    engine = "docker"


@needs("lxd")[0]
class TestFaultsOnLxd(FaultContract):
    """Nodes in LXD containers whose root is the host's."""

    engine = "lxd"


@needs("lxd-unprivileged")[0]
class TestFaultsOnUnprivilegedLxd(FaultContract):
    """Nodes in LXD containers whose root is an ordinary user of the host."""

    engine = "lxd-unprivileged"
