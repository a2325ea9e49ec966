"""Control groups, in both versions where this host has both."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.engines.cgroup import Cgroup, Hierarchies, hierarchies
from harness.rundir import group_prefix
from harness.wait import until

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="control groups need root")

HYBRID = """\
24 1 0:22 / /proc rw,relatime - proc proc rw
31 29 0:26 / /sys/fs/cgroup/unified rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate
32 29 0:27 / /sys/fs/cgroup/systemd rw,nosuid shared:10 - cgroup cgroup rw,xattr,name=systemd
33 29 0:28 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:11 - cgroup cgroup rw,cpu,cpuacct
34 29 0:29 / /sys/fs/cgroup/freezer rw,nosuid shared:12 - cgroup cgroup rw,freezer
"""


def test_a_hybrid_host_is_read() -> None:
    found = Hierarchies.parse(HYBRID)
    assert found.unified == Path("/sys/fs/cgroup/unified")
    assert found.controller("freezer") == Path("/sys/fs/cgroup/freezer")
    assert found.controller("cpuacct") == Path("/sys/fs/cgroup/cpu,cpuacct")
    assert found.controller("memory") is None
    assert [path.name for path in found.mounts()] == ["systemd", "cpu,cpuacct", "freezer", "unified"]


def test_a_version_2_host_is_read() -> None:
    found = Hierarchies.parse("30 24 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n")
    assert found == Hierarchies((), Path("/sys/fs/cgroup"))


def _versions() -> list[Hierarchies]:
    here = hierarchies()
    version1 = [Hierarchies(here.version1, None)] if here.controller("freezer") else []
    return version1 + ([Hierarchies((), here.unified)] if here.unified else [])


@pytest.fixture(params=_versions(), ids=lambda on: "version1" if on.version1 else "version2")
def group(request: pytest.FixtureRequest) -> Iterator[Cgroup]:
    """An empty group; removed with everything in it."""
    group = Cgroup(f"{group_prefix()}test-cgroup-{os.getpid()}", request.param)
    group.create()
    if accounting := request.param.controller("cpuacct"):  # as the runtime does
        (accounting / group.path).mkdir(parents=True)
    yield group
    group.kill()
    group.remove()
    assert group.everywhere() == ()


def start(group: Cgroup, *command: str) -> "subprocess.Popen[bytes]":
    """A command in the group."""
    return subprocess.Popen([*group.joining(), *command])


BUSY = ("sh", "-c", "while :; do :; done")


@needs_root
async def test_freezing_stops_and_thawing_continues(group: Cgroup) -> None:
    process = start(group, *BUSY)
    try:
        await until(lambda: group.cpu_used_s() > 0, within_s=10.0, what="the group uses the processor")
        group.freeze()
        assert group.frozen()
        used_s = group.cpu_used_s()
        await asyncio.sleep(0.1)  # time in which nothing may happen
        assert group.cpu_used_s() == used_s
        group.thaw()
        group.thaw()
        assert not group.freezing()
        await until(lambda: group.cpu_used_s() > used_s, within_s=10.0, what="the group goes on")
    finally:
        group.kill()
        process.wait()


@needs_root
@pytest.mark.parametrize("frozen", [False, True])
async def test_killing_reaches_everything_below_frozen_or_not(group: Cgroup, frozen: bool) -> None:
    below = Cgroup(f"{group.path}/below/deeper", group.on)
    below.create()
    processes = [start(group, *BUSY), start(below, *BUSY)]
    await until(lambda: len(group.processes()) == 2, within_s=10.0, what="both run")
    if frozen:
        below.freeze()
    group.kill()
    assert group.processes() == ()
    assert [process.wait(5.0) for process in processes] == [-9, -9]
    group.remove()
    group.remove()
    assert group.everywhere() == ()


@needs_root
def test_nothing_runs_in_a_group_that_is_gone(group: Cgroup) -> None:
    words = group.joining()
    group.remove()
    assert subprocess.run([*words, "echo", "ran"], capture_output=True, check=False).stdout == b""
    assert subprocess.run([*group.joining(), "echo", "ran"], capture_output=True, check=False).stdout == b""
