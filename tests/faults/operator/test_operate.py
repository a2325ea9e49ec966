"""What an operator does to nodes: what is declared is found, and what is not is told with what there is."""

import os
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.faults.operator import Operate
from harness.subjects.etcd.subject import Etcd
from harness.subjects.keepalived.subject import Keepalived
from harness.subjects.redis.subject import Redis
from harness.subjects.sfha.subject import Sfha
from tests.clusters import TOPOLOGY, running
from tests.contracts.operator import OperatorContract

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="starting nodes needs root")


@needs_root
class TestOfSfha(OperatorContract):
    """To the node that holds the address, and to one that is no member."""

    subjects = (Sfha(apart=("n5",)), Etcd())
    topology = TOPOLOGY.with_stem("five-nodes")
    nodes = ("n1", "n5")


@needs_root
class TestOfKeepalived(OperatorContract):
    """To the node that holds the address."""

    subjects = (Keepalived(), Redis())
    nodes = ("n1",)


@needs_root
async def test_an_action_that_nobody_declares_is_told_with_those_there_are(tmp_path: Path) -> None:
    async with running(tmp_path) as cluster:
        with pytest.raises(UsageError, match="operate: nobody knows standby on n2; there is other-port"):
            async with cluster.under(Operate("n2", "standby")):
                pytest.fail("nothing may begin")
