"""What is put on servers runs there, without anything of ours but itself."""

import subprocess
from pathlib import Path

import pytest

from harness.stack.dataservices.plan.core import File
from harness.stack.dataservices.rehearsal.clients import Clients, program, programs


@pytest.mark.parametrize("name", ["notes", "rows", "messages", "objects", "s3"])
def test_a_program_stands_on_its_own(name: str, tmp_path: Path) -> None:
    # Clients of an object store stand on one that people use as well.
    for one in programs(name, *(["s3"] if name == "objects" else [])):
        if isinstance(one, File):
            here = tmp_path / one.path.removeprefix("/")
            here.parent.mkdir(parents=True, exist_ok=True)
            here.write_text(one.content)
    words = program(name).replace("PYTHONPATH=", f"PYTHONPATH={tmp_path}").split()
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 2
    assert "Usage:" in done.stderr


def test_clients_begin_anew_and_each_needs_enough() -> None:
    clients = Clients("clients", "program", "/secrets", ("a", "b"))
    *_, begin, check = clients.begin()
    assert "program write /run/clients /secrets a b" in begin.said()
    assert check.said().endswith("/run/clients 20 a b (within 30 s)")
