"""Every fault on the local engine."""

import os
from pathlib import Path

import pytest

from harness.history import History
from harness.upright import take_up
from tests.contracts.fault import FaultContract, refused_without

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="starting nodes needs root")


class TestFaultsOnLocal(FaultContract):
    """Nodes without a daemon."""

    engine = "local"

    @pytest.mark.parametrize(
        ("controller", "words"),
        [
            ("cpu", ("slow", "n2")),
            ("memory", ("squeeze-memory", "n2", "redis-server")),
            ("pids", ("exhaust-pids", "n2")),
        ],
    )
    def test_it_is_refused_on_a_host_without_the_controller(
        self, run_id: str, controller: str, words: tuple[str, ...]
    ) -> None:
        """A host with control groups of version 1, in a mount namespace where this controller is not mounted."""
        if not Path("/sys/fs/cgroup", controller).is_dir():
            pytest.skip("version 2: its controllers are one mount")
        cluster = take_up(run_id)
        before = len(History.read(cluster.run_directory).events)
        done = refused_without(controller, run_id, *words)
        assert done.returncode == 2, done
        assert f"{words[0]} is impossible here: no controller {controller}" in done.stderr
        assert len(History.read(cluster.run_directory).events) == before
        cluster.let_go()
