"""A suite that is not installed brings its checks and faults along: its pyproject.toml declares them."""

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.extensions import load, references
from harness.history import Recorder
from tests.checks.story import failover
from tests.cli.clusters import ROOT, harness

DECLARED = """
[project.entry-points."harness.checks"]
mine = "my_checks"
[project.entry-points."harness.faults"]
mine = "my_faults"
"""
CHECKS = '''
from harness import History, Verdict, violated
from harness.checks.declared import check

@check
def never_green(history: History, shade: str) -> Verdict:
    """Nothing is green."""
    return violated("never_green", f"something is {shade} green")
'''
FAULTS = '''
from harness.faults.declaration import Nodes, fault
from harness.faults.declared import Declared

@fault(family="process", example="n1", proof="none")
class PaintGreen(Declared):
    """Nodes are painted green."""

    def __init__(self, nodes: Nodes) -> None: ...
'''


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    for name, text in {"pyproject.toml": DECLARED, "my_checks.py": CHECKS, "my_faults.py": FAULTS}.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_stored_run_is_judged_by_a_check_of_the_suite(suite: Path) -> None:
    run = suite / "run"
    run.mkdir()
    recorder = Recorder(run / "history.jsonl")
    for event in failover().expects("never_green", shade="dark").events:
        recorder.record(event)
    recorder.close()
    path = {"PYTHONPATH": str(ROOT)}
    done = harness("judge", str(run), cwd=suite, environment=path)
    assert done.returncode == 1, done.stderr
    assert "something is dark green" in done.stdout
    elsewhere = harness("judge", str(run), cwd=Path("/"), environment=path)
    assert elsewhere.returncode == 2
    assert "there is no check 'never_green'" in elsewhere.stderr


def test_a_fault_of_the_suite_is_on_the_command_line(suite: Path) -> None:
    done = harness("fault", "--help", cwd=suite, environment={"PYTHONPATH": str(ROOT)})
    assert "paint-green" in done.stdout, done.stderr


def test_what_is_declared_and_cannot_be_had_is_named(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project.entry-points."a.group"]\none = "no_such_module:thing"\n')
    assert references("a.group", tmp_path) == {"one": "no_such_module:thing"}
    assert references("another.group", tmp_path) == {}
    with pytest.raises(UsageError, match="the thing no_such_module:thing cannot be loaded: No module named"):
        load("no_such_module:thing", "the thing", tmp_path)
