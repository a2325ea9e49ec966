"""A cluster for a person, from up to down, by the command line alone."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.reap import leftovers

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="starting nodes needs root")


def harness(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "harness.cli.main", *words]
    return subprocess.run(command, cwd=ROOT, input=stdin, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def cluster() -> Iterator[str]:
    done = harness("up", "single-site", "--software", "redis")
    assert done.returncode == 0, done.stderr
    run_id = done.stdout.split()[1]
    yield run_id
    done = harness("down", run_id)
    assert done.returncode == 0, done.stderr
    assert leftovers(run_id) == []


def test_it_can_be_listed_used_and_broken(cluster: str) -> None:
    assert cluster in harness("ps").stdout
    done = harness("exec", "--cluster", cluster, "n2", "--", "sh", "-c", "cat; hostname; exit 3", stdin="hello ")
    assert (done.returncode, done.stdout) == (3, "hello n2\n")
    done = harness("fault", "--cluster", cluster, "--for", "0.2", "kill", "n1")
    assert done.returncode == 0, done.stderr
    assert "it bites" in done.stdout
    assert "healed" in done.stdout
    done = harness("fault", "--cluster", cluster, "--for", "0.2", "partition", "n1", "n2,n3")
    assert done.returncode == 0, done.stderr


def test_a_person_can_found_a_cluster_on_bare_nodes() -> None:
    """As the README says it: nothing listens there yet that a client could connect to."""
    done = harness("up", "three-sites", "--software", "sfha-unconfigured")
    assert done.returncode == 0, done.stderr
    run_id = done.stdout.split()[1]
    try:
        done = harness("exec", "--cluster", run_id, "n1", "--", "sfha", "init", "--name", "harness")
        assert done.returncode == 0, done.stderr
        token = harness("exec", "--cluster", run_id, "n1", "--", "sfha", "token").stdout
        join = ("sh", "-c", "cat > n2.token; sfha join @n2.token")
        done = harness("exec", "--cluster", run_id, "n2", "--", *join, stdin=token)
        assert done.returncode == 0, done.stderr
        assert "n2 has joined harness" in done.stdout
    finally:
        assert harness("down", run_id).returncode == 0
    assert leftovers(run_id) == []


def test_mistakes_are_named(cluster: str) -> None:
    for words, expected in (
        (("exec", "--cluster", cluster, "nx", "--", "true"), "the topology has no node 'nx'"),
        (("fault", "--cluster", cluster, "kill", "nx"), "the topology has no node 'nx'"),
        (("down", "nonsense"), "no cluster nonsense is up"),
        (("up", "nonsense"), "neither a topology file nor the name of one"),
    ):
        done = harness(*words)
        assert done.returncode == 2, words
        assert expected in done.stderr
        assert "Traceback" not in done.stderr
