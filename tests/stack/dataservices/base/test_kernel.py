"""What a kernel is told, told to a real one: a network namespace has settings of its own."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.dataservices.base.rooms import PROGRAMS, run_in
from tests.stack.sfha.kernel.kernel_rooms import Room

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or shutil.which("sysctl") is None, reason="needs root and sysctl")
KERNEL = str(PROGRAMS / "kernel.sh")


@pytest.fixture
def room() -> Iterator[Room]:
    """A kernel's network."""
    made = Room()
    yield made
    made.close()


def test_settings_are_made_and_then_found(room: Room, tmp_path: Path) -> None:
    file = tmp_path / "kernel.conf"
    file.write_text("# said\nnet.core.somaxconn = 7777\nnet.ipv4.tcp_keepalive_time = 61\n")
    assert run_in(room, tmp_path, "sh", KERNEL, "applied", str(file)).returncode == 1
    done = run_in(room, tmp_path, "sh", KERNEL, "apply", str(file))
    assert done.returncode == 0, done.stderr
    assert run_in(room, tmp_path, "sysctl", "-n", "net.core.somaxconn").stdout == "7777\n"
    assert run_in(room, tmp_path, "sh", KERNEL, "applied", str(file)).returncode == 0
    assert run_in(room, tmp_path, "sh", KERNEL, "tell", str(file)).stdout == ""


def test_a_value_of_several_numbers_is_one(room: Room, tmp_path: Path) -> None:
    file = tmp_path / "kernel.conf"
    file.write_text("net.ipv4.tcp_rmem = 4096 65536 1048576\n")
    assert run_in(room, tmp_path, "sh", KERNEL, "apply", str(file)).returncode == 0
    assert run_in(room, tmp_path, "sh", KERNEL, "applied", str(file)).returncode == 0


def test_what_is_not_this_servers_to_set_is_said_and_no_failure(room: Room, tmp_path: Path) -> None:
    file = tmp_path / "kernel.conf"
    file.write_text("net.core.not_here = 1\nnet.core.somaxconn = 5555\n")
    assert run_in(room, tmp_path, "sh", KERNEL, "apply", str(file)).returncode == 0
    assert run_in(room, tmp_path, "sh", KERNEL, "applied", str(file)).returncode == 0
    said = run_in(room, tmp_path, "sh", KERNEL, "tell", str(file)).stdout
    assert said == "net.core.not_here is as it was: not this server's own to set\n"


def test_what_the_kernel_refuses_is_a_failure(room: Room, tmp_path: Path) -> None:
    file = tmp_path / "kernel.conf"
    file.write_text("net.core.somaxconn = none\n")
    assert run_in(room, tmp_path, "sh", KERNEL, "apply", str(file)).returncode != 0
