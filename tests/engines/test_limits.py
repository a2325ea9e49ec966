"""Limits of control groups: what the kernel holds up, refuses and kills is counted, until they are lifted."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.engines.cgroup import Cgroup, Hierarchies, hierarchies
from harness.engines.limits import Resource, in_use, is_limited, kept_bytes, lacks, lift, limit, refusals
from harness.errors import EngineError
from harness.rundir import group_prefix
from harness.wait import until

RESOURCES: tuple[Resource, ...] = ("cpu", "memory", "pids", "memory-soft")
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="control groups need root")


@pytest.fixture
def group() -> Iterator[Cgroup]:
    """A group in every hierarchy, as a runtime makes it."""
    group = Cgroup(f"{group_prefix()}test-limits-{os.getpid()}")
    group.create()
    for resource in RESOURCES:
        if (mount := hierarchies().controller(resource)) is not None:
            (mount / group.path).mkdir(parents=True, exist_ok=True)
    yield group
    group.kill()
    group.remove()


@pytest.fixture(params=RESOURCES)
def resource(request: pytest.FixtureRequest, group: Cgroup) -> Resource:
    """Each of them that this host can limit."""
    found: Resource = request.param
    if (reason := lacks(group, found)) is not None:
        pytest.skip(reason)
    return found


def start(group: Cgroup, script: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([*group.joining(), "sh", "-c", script], stderr=subprocess.DEVNULL)


def test_a_limit_is_there_until_it_is_lifted(group: Cgroup, resource: Resource) -> None:
    assert not is_limited(group, resource)
    limit(group, resource, 64 << 20 if resource.startswith("memory") else 50_000)
    assert is_limited(group, resource)
    for _ in range(2):
        lift(group, resource)
        assert not is_limited(group, resource)


async def test_what_is_over_the_limit_is_counted(group: Cgroup, resource: Resource, tmp_path: Path) -> None:
    file = tmp_path / "read"
    scripts: dict[Resource, tuple[int, str]] = {
        "cpu": (5_000, "while :; do :; done"),
        "memory": (8 << 20, "head -c 64M /dev/zero | tail -c 64M > /dev/null; sleep 60"),
        "pids": (1, "while :; do sleep 0.1 & wait; done"),
        "memory-soft": (16 << 20, f"truncate -s 64M {file}; while :; do dd if={file} of=/dev/null bs=64k; done"),
    }
    amount, script = scripts[resource]
    before = refusals(group, resource)
    limit(group, resource, amount)
    process = start(group, script)
    try:
        await until(lambda: refusals(group, resource) > before, within_s=10.0, what=f"the kernel counts {resource}")
    finally:
        group.kill()
        process.wait()


def test_what_is_in_use_is_told(group: Cgroup) -> None:
    process = start(group, "sleep 60")
    try:
        deadline_s = time.monotonic() + 5.0
        while in_use(group, "pids") == 0 and time.monotonic() < deadline_s:
            os.sched_yield()
        assert in_use(group, "pids") >= 1
        assert in_use(group, "memory") > 0
    finally:
        group.kill()
        process.wait()


async def test_copies_of_files_are_not_among_what_is_kept(group: Cgroup, tmp_path: Path) -> None:
    file, read_bytes = tmp_path / "read", 32 << 20
    process = start(group, f"truncate -s {read_bytes} {file}; dd if={file} of=/dev/null bs=64k; sleep 60")
    try:
        await until(lambda: in_use(group, "memory") > read_bytes, within_s=10.0, what="the file is in memory")
        assert kept_bytes(group) < read_bytes / 4
    finally:
        group.kill()
        process.wait()


def test_a_group_that_is_gone_is_no_longer_limited(group: Cgroup) -> None:
    gone = Cgroup(f"{group.path}-gone")
    for resource in RESOURCES:
        lift(gone, resource)
        assert not is_limited(gone, resource)
        with pytest.raises(EngineError, match=f"no controller {resource.removesuffix('-soft')}"):
            limit(gone, resource, 1)


def test_a_host_without_a_controller_is_told_what_to_mount(group: Cgroup) -> None:
    found = hierarchies()
    without = Hierarchies(tuple(one for one in found.version1 if one[0] != "cpu"), found.unified)
    reason = lacks(Cgroup(group.path, without), "cpu")
    if found.controller("cpu") is None:
        pytest.skip("version 2: its controllers are one mount")
    assert reason is not None
    assert "mount -t cgroup -o cpu" in reason


def test_the_files_of_version_2_have_their_own_names(tmp_path: Path) -> None:
    """As cgroups(7) says; this host's kernel may have none of them to try."""
    group = Cgroup("g", Hierarchies((("freezer", tmp_path / "freezer"),), tmp_path))
    (tmp_path / "g").mkdir()
    for name, text in {
        "cpu.max": "max 100000",
        "memory.max": "max",
        "memory.high": "max",
        "memory.stat": "anon 2048\ninactive_file 1024\nactive_file 512\nworkingset_refault_file 9\n",
        "pids.max": "max",
        "cpu.stat": "usage_usec 5\nnr_periods 3\nnr_throttled 2\n",
        "memory.events": "low 0\noom 1\noom_kill 1\n",
        "pids.events": "max 7\n",
        "memory.current": "4096\n",
        "pids.current": "3\n",
    }.items():
        (tmp_path / "g" / name).write_text(text)
    assert [lacks(group, one) for one in RESOURCES] == [None] * 4
    assert [refusals(group, one) for one in RESOURCES] == [2, 1, 7, 9]
    assert (in_use(group, "memory"), in_use(group, "pids")) == (4096, 3)
    assert kept_bytes(group) == 4096 - 1024 - 512
    for one in RESOURCES:
        assert not is_limited(group, one)
        limit(group, one, 10_000)
        assert is_limited(group, one)
        lift(group, one)
        assert not is_limited(group, one)
