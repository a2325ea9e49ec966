"""Loads that cannot be run on a cluster are refused where they are said."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.cluster import Cluster
from harness.errors import UsageError
from harness.subjects.etcd.subject import Etcd
from harness.subjects.keepalived.subject import Keepalived
from harness.subjects.redis.subject import Redis
from harness.subjects.subject import Subject
from harness.traffic import Traffic
from harness.workloads.load import Load, ModelName, Route
from tests.clusters import drawn


def traffic(directory: Path, store: str, model: ModelName, *subjects: Subject) -> Traffic:
    """One load on a cluster that was not started."""
    cluster = Cluster(replace(drawn(directory).design, subjects=subjects))
    route = Route(address="192.0.2.1", port=1)
    return Traffic(cluster, [Load(model=model, key="k", store=store, routes=(route,), rate_per_s=1, timeout_s=1)])


def test_a_store_that_is_not_on_the_nodes_is_named_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the load k is for etc, and on the nodes there are: keepalived, etcd"):
        traffic(tmp_path, "etc", "ledger", Keepalived(), Etcd())


@pytest.mark.parametrize(
    ("subject", "known"), [(Redis(), "clients of redis know .*, no bank"), (Keepalived(), "know nothing, no bank")]
)
def test_a_model_that_the_clients_do_not_know_is_refused(tmp_path: Path, subject: Subject, known: str) -> None:
    with pytest.raises(UsageError, match=known):
        traffic(tmp_path, subject.name, "bank", subject)
