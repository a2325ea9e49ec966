"""The command line: quick, and clear about mistakes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import main as command_line
from harness.cli.main import COMMANDS, Entry

HARNESS = [sys.executable, "-m", "harness.cli.main"]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*HARNESS, *arguments], capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


def test_help_lists_what_is_there_and_imports_none_of_it() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "harness.cli.main", "--help"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "doctor" in done.stdout
    assert "image" in done.stdout
    imported = {line.split("|")[-1].strip() for line in done.stderr.splitlines()}
    assert not imported & {"harness.doctor", "harness.images.store", "asyncio", "pyroute2", "rich", "pytest"}


def test_every_command_that_is_there_has_help() -> None:
    for name in command_line.group.list_commands(command_line.group.make_context("harness", ["doctor"])):
        done = run(name, "--help")
        assert done.returncode == 0, done.stderr
        assert "Usage:" in done.stdout


def test_a_users_mistake_is_one_line_and_exit_code_2() -> None:
    done = run("image", "build", "nope")
    assert done.returncode == 2
    assert done.stderr.startswith("harness: there is no image definition 'nope'")
    assert len(done.stderr.splitlines()) == 1
    assert run("nope").returncode == 2
    assert "Traceback" not in run("image", "build", "--nope").stderr


def test_a_command_whose_module_is_missing_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMMANDS, "later", Entry("harness.cli.later", "later_command", "Comes later."))
    context = command_line.group.make_context("harness", ["doctor"])
    assert "later" not in command_line.group.list_commands(context)
    assert command_line.group.get_command(context, "later") is None


def test_an_empty_cache_is_no_mistake(tmp_path: Path) -> None:
    assert run("image", "list", HARNESS_CACHE=str(tmp_path)).returncode == 0
    pruned = run("image", "prune", HARNESS_CACHE=str(tmp_path))
    assert pruned.returncode == 0
    assert pruned.stdout.startswith("nothing to remove")
