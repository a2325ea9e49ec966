import os
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.procfs import (
    begins_its_namespace,
    command_words,
    memory_limits_bytes,
    parent_pid,
    process_name,
    process_start_ticks,
    process_state,
)


def test_a_process_is_described() -> None:
    with subprocess.Popen(["sleep", "1000"]) as process:
        try:
            assert parent_pid(process.pid) == os.getpid()
            assert process_name(os.getpid())
            assert command_words(os.getpid())
            assert process_start_ticks(process.pid) >= process_start_ticks(os.getpid())
        finally:
            process.kill()


@pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root")
def test_process_1_of_a_namespace_below_ours_is_told_from_others() -> None:
    command = ["unshare", "--pid", "--fork", "--kill-child", "sh", "-c", "echo; sleep 1000; true"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as one:
        try:
            assert one.stdout is not None
            one.stdout.read(1)
            children = Path(f"/proc/{one.pid}/task/{one.pid}/children").read_text().split()
            assert [begins_its_namespace(int(child)) for child in children] == [True]
            assert not begins_its_namespace(one.pid)
        finally:
            one.kill()
    assert not begins_its_namespace(one.pid)


def test_one_that_is_gone_has_no_name_and_no_words() -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    assert process_name(process.pid) == ""
    assert command_words(process.pid) == ()
    with pytest.raises(HarnessError, match="is gone"):
        process_state(process.pid)


@pytest.mark.parametrize("_", range(50))
def test_one_that_ends_while_it_is_read_is_gone_and_nothing_worse(_: int) -> None:
    process = subprocess.Popen(["true"])
    while process.poll() is None:
        command_words(process.pid)
        process_name(process.pid)
        with suppress(HarnessError):
            process_state(process.pid)


V1 = "35 31 0:32 {root} {mount} rw,relatime - cgroup cgroup rw,memory"
V2 = "41 31 0:38 {root} {mount} rw,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate"
OTHER = "36 31 0:33 {root} {mount} rw,relatime - cgroup cgroup rw,cpu"
NONE = 2**63 - 4096


@pytest.mark.parametrize(
    ("groups", "mounted", "files", "limits"),
    [
        ("0::/a/b", (V2, "/"), {"a/b/memory.max": "max", "a/memory.max": 7, "c/memory.max": 1}, [7]),
        ("0::/", (V2, "/"), {"memory.max": 5}, [5]),
        ("0::/", (V2, "/"), {}, []),
        ("4:memory:/a\n0::/", (V1, "/"), {"a/memory.limit_in_bytes": 9, "memory.limit_in_bytes": NONE}, [9, NONE]),
        ("4:cpu,memory:/box/x/in", (V1, "/box/x"), {"in/memory.limit_in_bytes": 4}, [4]),
        ("0::/../elsewhere", (V2, "/box/x"), {"memory.max": 3}, [3]),
        ("0::/a", (OTHER, "/"), {"a/memory.limit_in_bytes": 2, "a/memory.max": 2}, []),
    ],
)
def test_memory_limits_are_those_of_our_group_and_above(
    groups: str, mounted: tuple[str, str], files: dict[str, object], limits: list[int], tmp_path: Path
) -> None:
    mount, process = tmp_path / "mount", tmp_path / "self"
    process.mkdir()
    (process / "cgroup").write_text(groups + "\n")
    line, root = mounted
    (process / "mountinfo").write_text(f"1 0 0:1 / / rw - ext4 /dev/x rw\n{line.format(root=root, mount=mount)}\n")
    for name, limit in files.items():
        (mount / name).parent.mkdir(parents=True, exist_ok=True)
        (mount / name).write_text(f"{limit}\n")
    assert memory_limits_bytes(process) == limits


def test_our_own_memory_limits_can_be_read() -> None:
    assert all(limit > 0 for limit in memory_limits_bytes())
