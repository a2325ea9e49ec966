"""The command line: quick, and clear about mistakes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import main as command_line
from harness.cli.main import COMMANDS, Entry
from tests.cli.clusters import refused

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


@pytest.mark.parametrize(
    ("words", "near"),
    [(("faul", "kill"), "fault"), (("fault", "cut-sit", "dijon"), "cut-site"), (("bench", "fault"), "faults")],
)
def test_a_command_that_is_none_is_answered_with_the_nearest(words: tuple[str, ...], near: str) -> None:
    assert f"Did you mean '{near}'?" in refused(*words)


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


HOLDS = '{"process":0,"type":"invoke","f":"write","value":1}\n{"process":0,"type":"ok","f":"write","value":1}\n'


def test_what_falls_over_is_one_line_and_exit_code_2_and_the_details_are_kept(tmp_path: Path) -> None:
    program = (
        "import click, sys\n"
        "from harness.cli import main\n"
        "@click.command('broken')\n"
        "def broken():\n"
        "    raise RuntimeError('no ' * 500)\n"
        "main.group.add_command(broken)\n"
        "main.LazyGroup.get_command = lambda self, context, name: broken\n"
        "sys.argv = ['harness', 'broken']\n"
        "main.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, check=False, env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("harness: this is a bug of the harness itself: RuntimeError: no no")
    assert len(line) < 500
    (details,) = tmp_path.iterdir()
    assert str(details) in line
    assert "Traceback" in details.read_text()


@pytest.mark.parametrize("arguments", [("judge", "history", "--model", "register"), ("--help",), ("judge", "--help")])
def test_output_that_cannot_be_written_is_exit_code_2(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "history").write_text(HOLDS)
    command = [*HARNESS, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, cwd=tmp_path, env=environment
        )
    assert done.returncode == 2
    assert done.stderr == "harness: what this command says could not be written: No space left on device\n"
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w") as closed:
        done = subprocess.run(
            command, stdout=closed, stderr=subprocess.PIPE, text=True, check=False, cwd=tmp_path, env=environment
        )
    assert done.returncode == 2
    assert done.stderr == ""
