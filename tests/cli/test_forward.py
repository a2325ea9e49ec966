"""A node's port from this host, by the command line alone."""

import os
import re
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cli.clusters import HARNESS, ROOT, harness, up

pytestmark = [pytest.mark.alone, pytest.mark.skipif(os.geteuid() != 0, reason="starting nodes needs root")]
SERVES = "cd /etc && setsid python3 -m http.server 8000 --bind 127.0.0.1 > /dev/null 2>&1 < /dev/null &"


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    with up("one-node", "--software", "redis") as run_id:
        yield run_id


@contextmanager
def forwarding(*words: str) -> Iterator[str]:
    """The place it names, while it runs; ended as a person does."""
    process = subprocess.Popen([*HARNESS, "forward", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"is at (127\.0\.0\.1:[0-9]+) ", line)
        assert found, line
        yield found[1]
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0


def test_what_listens_on_the_nodes_loopback_is_reached(cluster: str) -> None:
    assert harness("exec", "--cluster", cluster, "n1", "--", "sh", "-c", SERVES).returncode == 0
    wait = "until python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", 8000))'; do sleep 0.1; done"
    assert harness("exec", "--cluster", cluster, "n1", "--", "sh", "-c", f"{{ {wait}; }} 2> /dev/null").returncode == 0
    with (
        forwarding("--cluster", cluster, "n1", "8000") as place,
        urllib.request.urlopen(f"http://{place}/passwd", timeout=10) as answer,
    ):
        assert answer.read().startswith(b"root:")


def test_mistakes_are_named(cluster: str) -> None:
    for words, expected in (
        (("nx", "80"), "the topology has no node 'nx'"),
        (("n1", "0"), "0 is not in the range"),
        (("--listen", "here", "n1", "80"), "--listen is 'here'; it has to be HOST:PORT"),
        (("--listen", "192.0.2.1:0", "n1", "80"), "--listen: 192.0.2.1:0: "),
    ):
        done = harness("forward", "--cluster", cluster, *words)
        assert done.returncode == 2, words
        assert expected in done.stderr
        assert "Traceback" not in done.stderr


def test_it_ends_with_its_cluster() -> None:
    begun = harness("up", "one-node", "--software", "redis")
    assert begun.returncode == 0, begun.stderr
    run_id = begun.stdout.split()[1]
    try:
        words = [*HARNESS, "forward", "--cluster", run_id, "n1", "6379"]
        process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert " is at 127.0.0.1:" in process.stdout.readline()
    finally:
        assert harness("down", run_id).returncode == 0
    said, _ = process.communicate(timeout=20)
    assert (process.returncode, said) == (0, f"cluster {run_id} is gone\n")
