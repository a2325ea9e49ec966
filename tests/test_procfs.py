import os
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.procfs import (
    begins_its_namespace,
    command_words,
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
