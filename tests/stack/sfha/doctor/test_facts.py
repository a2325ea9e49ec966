"""Gathering facts of a real machine, whatever it is: nothing is thrown, and what breaks is seen."""

import socket
from pathlib import Path

import pytest

from harness.stack.sfha.doctor import facts
from harness.stack.sfha.doctor.core import examine
from tests.stack.sfha.cli.command import run


def test_this_machine_is_looked_at_without_an_exception() -> None:
    found = facts.gather()
    assert found.kernel.release >= (4, 0)
    assert found.year >= 2024
    assert examine(found)


def test_a_port_that_somebody_has_is_found() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.bind(("127.0.0.1", 0))
        (port,) = facts._ports(link.getsockname()[1], member=False)
    assert port.holder is not None
    assert port.holder not in port.rightly


def test_names_are_resolved_within_their_time() -> None:
    found = facts._unresolved(["127.0.0.1:1", "[::1]:1", "", "no.such.name.invalid:1"])
    assert [endpoint for endpoint, _ in found] == ["no.such.name.invalid:1"]


def test_a_log_that_is_a_directory_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "LOG_PATH", tmp_path)
    (place,) = facts._log_place()
    assert place.refuses
    monkeypatch.setattr(facts, "LOG_PATH", tmp_path / "none")
    assert facts._log_place() == ()


def test_the_command_says_it_in_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    import json

    code = run("doctor", "--json")
    document = json.loads(capsys.readouterr().out)
    assert code == (0 if document["ok"] else 1)
    assert all({"severity", "about", "key", "text"} == set(one) for one in document["findings"])
