"""A cluster for a person, from up to down, by the command line alone."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator

import pytest

from harness.addresses import AddressPlan
from harness.reap import leftovers
from harness.rundir import RUNS, RunDirectory, calling_user
from harness.subjects.found import subject_called, subject_names
from harness.upright import DESIGN_FILE, design_of
from tests.cli.clusters import ROOT, harness, up

pytestmark = [pytest.mark.alone, pytest.mark.skipif(os.geteuid() != 0, reason="starting nodes needs root")]


@pytest.fixture
def cluster() -> Iterator[str]:
    with up("single-site", "--software", "redis") as run_id:
        yield run_id


def test_it_can_be_listed_used_and_broken(cluster: str) -> None:
    assert cluster in harness("ps").stdout
    done = harness("exec", "--cluster", cluster, "n2", "--", "sh", "-c", "cat; hostname; exit 3", stdin="hello ")
    assert (done.returncode, done.stdout) == (3, "hello n2\n")
    done = harness("fault", "--cluster", cluster, "--for", "0.2", "kill", "n1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"cluster {cluster}\n")
    assert "it bites" in done.stdout
    assert "healed" in done.stdout
    done = harness("fault", "--cluster", cluster, "--for", "0.2", "partition", "n1", "n2,n3")
    assert done.returncode == 0, done.stderr


def test_a_fault_is_aimed_at_whom_the_nodes_own_kernels_name(cluster: str) -> None:
    """Nobody observes a cluster that a person plays with."""
    vip = design_of(cluster).topology.vips[0].name
    address = AddressPlan(design_of(cluster).topology, cluster).vip(vip)
    done = harness("exec", "--cluster", cluster, "n2", "--", "ip", "address", "add", f"{address}/32", "dev", "eth0")
    assert done.returncode == 0, done.stderr
    done = harness("fault", "--cluster", cluster, "--for", "0.1", "isolate", f"holder:{vip}")
    assert done.returncode == 0, done.stderr
    assert "isolate: n2\n" in done.stdout
    done = harness("fault", "--cluster", cluster, "--dry-run", "freeze", "leader")
    assert done.returncode == 0, done.stderr
    assert "freeze would hit: n2\nundone by: ResumeNode(node='n2')\n" in done.stdout
    assert "bites" not in done.stdout


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
        (("up", "nonsense"), "'nonsense' is neither a file nor one of these names"),
        (("exec", "--cluster", cluster, "nx", "--", "true"), f"cluster {cluster}: the topology has no node 'nx'"),
        (("down", "--cluster", cluster, "--all"), "ends one cluster"),
    ):
        done = harness(*words)
        assert done.returncode == 2, words
        assert expected in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("seconds", ["-1", "0", "nan", "inf", "-inf", "1e12", "-0.0", "soon"])
def test_a_duration_that_makes_no_sense_is_refused(seconds: str) -> None:
    done = harness("fault", f"--for={seconds}", "kill", "n1")
    assert done.returncode == 2
    assert "Invalid value for '--for'" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_proposed_works_beside_other_clusters(cluster: str) -> None:
    done = harness("up", "single-site", "--software", "keepalived", "--software", "redis")
    run_id = done.stdout.split()[1]
    try:
        assert "sfha" not in done.stdout
        proposed = done.stdout.partition("try: ")[2].strip().split("; ")
        assert any("ip -brief address" in words for words in proposed)
        for words in proposed:
            if " fault " not in words:
                said = harness(*words.split()[1:])
                assert said.returncode == 0, (words, said.stderr)
        assert run_id not in harness("ps").stdout
    finally:
        harness("down", run_id)
    assert cluster in harness("ps").stdout


def test_every_subject_proposes_something() -> None:
    for name in subject_names(ROOT):
        assert subject_called(name, project=ROOT).first_look.split()
        assert ("sfha " in subject_called(name, project=ROOT).first_look) <= name.startswith("sfha")


AS_NOBODY = """
import os, sys
from harness.cli import cluster, fault, main, reap  # imported first: this user may not be able to read them
from harness.faults.catalogue import catalogue
catalogue()
os.setgroups([]); os.setgid(65534); os.setuid(65534)
sys.argv = ["harness", *sys.argv[1:]]
main.main()
"""


@pytest.mark.parametrize(
    "words",
    ["ps", "exec n1 -- true", "fault kill n1", "fault --for 1 wan-down", "down", "down --all", "up", "reap"],
)
def test_who_is_not_root_is_told_so_in_one_line(cluster: str, words: str) -> None:
    command = [sys.executable, "-c", AS_NOBODY, *words.split()]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "root" in done.stderr
    assert "sudo" in done.stderr
    assert cluster in harness("ps").stdout


def test_a_cluster_that_another_version_started_is_told_and_can_be_ended(cluster: str) -> None:
    with up("single-site", "--software", "redis") as other:
        written = RunDirectory(other).path / DESIGN_FILE
        written.write_text(json.dumps({"software": [], **json.loads(written.read_text())}))
        done = harness("ps")
        assert cluster in done.stdout
        told = f"harness: another version of the harness started {other}; use that one, or end it: harness down {other}"
        assert told in done.stderr.splitlines()
        assert harness("exec", "--cluster", other, "n1", "--", "true").returncode == 2
    assert other not in harness("ps").stderr


def test_up_says_what_it_removed_and_leaves_what_is_of_others() -> None:
    mine, theirs = (RUNS / f"test-dead-{secrets.token_hex(4)}" for _ in range(2))
    for run, user in ((mine, calling_user()), (theirs, calling_user() + 1)):
        run.mkdir(parents=True)
        (run / "user").write_text(str(user))
    try:
        done = harness("up", "single-site", "--software", "redis")
        harness("down", done.stdout.split()[1])
        assert f"harness: removed what the dead run {mine.name} left\n" in done.stderr
        assert theirs.name not in done.stderr
        assert theirs.exists()
        assert f"removed run {theirs.name}" in harness("reap").stdout
    finally:
        for run in (mine, theirs):
            if run.exists():
                harness("reap")
    assert leftovers(mine.name) + leftovers(theirs.name) == []
