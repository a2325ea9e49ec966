"""How a server is asked: the commands are run by a real shell, with an rabbitmqctl that answers what a real one did."""

import subprocess
from pathlib import Path

import pytest

from harness.stack.dataservices.inventory.core import read
from harness.stack.dataservices.rabbitmq.places import all_run, held_by, led_by_another
from tests.stack.dataservices.servers import RABBITMQ

SERVERS = tuple(read(RABBITMQ).named(name) for name in ("mq-01", "mq-02", "mq-03"))
ONE, TWO, THREE = (f"rabbit@{server.address}" for server in SERVERS)


def succeeds(folder: Path, command: str, *answer: str) -> bool:
    """Whether it does, when rabbitmqctl says this."""
    (folder / "answer").write_text("".join(f"{line}\n" for line in answer))
    program = folder / "rabbitmqctl"
    program.write_text(f"#!/bin/sh\ncat {folder}/answer\n")
    program.chmod(0o755)
    environment = {"PATH": f"{folder}:/usr/bin:/bin"}
    return subprocess.run(["sh", "-c", command], env=environment, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("lines", "so"),
    [
        ((f"a\tquorum\t[{ONE}, {TWO}, {THREE}]", f"b\tquorum\t[{ONE}, {TWO}, {THREE}]"), True),
        ((f"a\tquorum\t[{ONE}, {TWO}, {THREE}]", f"b\tquorum\t[{ONE}, {TWO}]"), False),
        ((f"a\tquorum\t[{ONE}, {TWO}, {THREE}]", "b\tclassic\t"), False),
        ((f"a\tquorum\t[{ONE}, {TWO}, {THREE}]", f"c\tquorum\t[{ONE}, {TWO}, {THREE}]"), False),
        ((), False),
    ],
)
def test_every_queue_has_to_be_a_quorum_queue_with_all_members(
    tmp_path: Path, lines: tuple[str, ...], so: bool
) -> None:
    assert succeeds(tmp_path, held_by(3, "a", "b"), *lines) is so


@pytest.mark.parametrize(
    ("lines", "so"),
    [
        ((f"a\t{TWO}",), True),
        ((f"a\t{ONE}",), False),
        (("a\t",), False),
        ((f"b\t{TWO}",), False),
    ],
)
def test_who_was_lost_leads_no_more_and_somebody_does(tmp_path: Path, lines: tuple[str, ...], so: bool) -> None:
    assert succeeds(tmp_path, led_by_another("a", SERVERS[0]), *lines) is so


def test_nobody_is_missing(tmp_path: Path) -> None:
    assert succeeds(tmp_path, all_run(SERVERS), "[]")
    assert not succeeds(tmp_path, all_run(SERVERS), f"['{THREE}']")
    assert not succeeds(tmp_path, all_run(SERVERS))
