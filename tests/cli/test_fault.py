"""A fault held by a person, by the command line alone."""

import os
import subprocess

import pytest

from tests.cli.clusters import HARNESS, ROOT, harness, refused


def test_an_option_that_is_missing_is_named() -> None:
    assert "Missing option '--port'" in refused("fault", "block-port", "n1")


@pytest.mark.alone
@pytest.mark.skipif(os.geteuid() != 0, reason="starting nodes needs root")
def test_it_ends_with_its_cluster() -> None:
    begun = harness("up", "one-node", "--software", "redis")
    assert begun.returncode == 0, begun.stderr
    run_id = begun.stdout.split()[1]
    try:
        words = [*HARNESS, "fault", "--cluster", run_id, "freeze", "n1"]
        process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert process.stdout is not None
        while not (line := process.stdout.readline()).startswith("it bites"):
            assert line, process.wait()
    finally:
        assert harness("down", run_id).returncode == 0
    said, _ = process.communicate(timeout=20)
    assert (process.returncode, said) == (0, f"cluster {run_id} is gone, and freeze with it\n")
