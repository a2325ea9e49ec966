"""Places are never given twice, come back by themselves, and large clusters get their turn."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import admission
from harness.admission import NODE_BYTES, NODES_PER_CORE, admitted, capacity, host_capacity

MANY = 1 << 40


@given(st.integers(1, 256), st.integers(1 << 20, 1 << 44))
def test_the_capacity_is_what_the_scarcer_of_both_allows(cores: int, memory_bytes: int) -> None:
    places = capacity(cores, memory_bytes)
    assert 1 <= places <= max(1, cores * NODES_PER_CORE)
    assert places == 1 or places * NODE_BYTES <= memory_bytes
    assert capacity(cores, MANY) == cores * NODES_PER_CORE
    assert capacity(cores + 1, memory_bytes) >= places <= capacity(cores, memory_bytes * 2)


def test_a_control_group_that_limits_memory_limits_the_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "memory_limits_bytes", list)
    assert host_capacity() >= 1
    monkeypatch.setattr(admission, "memory_limits_bytes", lambda: [MANY, NODE_BYTES * 2])
    assert host_capacity() == 1


def test_never_more_nodes_than_places(tmp_path: Path) -> None:
    guard = threading.Lock()
    now = 0
    most = 0

    def run(nodes: int) -> None:
        nonlocal now, most
        with admitted(nodes, 6, directory=tmp_path):
            with guard:
                now += nodes
                most = max(most, now)
            with guard:
                now -= nodes

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(run, [3, 5, 1, 6, 2, 3, 3, 1] * 6))
    assert now == 0
    assert 0 < most <= 6


def test_a_cluster_larger_than_the_host_runs_alone(tmp_path: Path) -> None:
    waited = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        with admitted(30, 4, directory=tmp_path):
            done = pool.submit(enter, 1, waited, tmp_path)
            assert waited.wait(10)
            assert not done.done()
        assert done.result(10) == "in"


def enter(nodes: int, waited: threading.Event, directory: Path) -> str:
    with admitted(nodes, 4, waited.set, directory):
        return "in"


def test_the_place_of_a_killed_process_is_free_again(tmp_path: Path) -> None:
    code = f"""
import pathlib, sys, time
from harness.admission import admitted
with admitted(4, 4, directory=pathlib.Path({str(tmp_path)!r})):
    print("in", flush=True)
    time.sleep(1000)
"""
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"in\n"
    waited = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(enter, 1, waited, tmp_path)
        assert waited.wait(10)
        holder.kill()
        holder.wait(10)
        assert done.result(10) == "in"
