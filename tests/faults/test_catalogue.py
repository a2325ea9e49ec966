"""Faults are found by themselves: ours by their files, others by their entry points."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli.fault import fault_command
from harness.cluster import Cluster
from harness.errors import UsageError
from harness.faults.catalogue import catalogue
from harness.faults.declaration import Aim
from harness.faults.network import Partition
from harness.faults.page import page
from harness.faults.process import Freeze
from harness.faults.written import example_of, written

ROOT = Path(__file__).parents[2]
FAMILIES = ROOT / "harness/faults"

STRANGE = """
from harness.fault import Effect, Seen
from harness.faults.declaration import Nodes, fault
from harness.faults.declared import Declared

@fault(family="names", example="n1", proof="nobody knows")
class {name}(Declared):
    \"\"\"Everybody is called otherwise.\"\"\"

    def __init__(self, nodes: Nodes) -> None:
        self.nodes = nodes
"""


def test_every_file_of_a_family_declares_one_fault_of_that_family_and_name() -> None:
    files = {path.stem: path.parent.name for path in FAMILIES.glob("*/*.py") if path.stem != "__init__"}
    assert len(files) >= 30
    assert {name.replace("-", "_"): one.family for name, one in catalogue().items()} == files


def test_what_a_family_exports_are_its_faults() -> None:
    for family in {path.parent.name for path in FAMILIES.glob("*/*.py")}:
        module = __import__(f"harness.faults.{family}", fromlist=["__all__"])
        assert {getattr(module, name) for name in module.__all__} == {
            one.make for one in catalogue().values() if one.family == family
        }, f"name each of them in harness/faults/{family}/__init__.py, and nothing else"


@pytest.mark.parametrize("name", catalogue())
def test_the_command_line_has_every_fault_with_its_help(name: str) -> None:
    done = CliRunner().invoke(fault_command, [name, "--help"])
    assert done.exit_code == 0
    said = " ".join(done.output.split())
    declaration = catalogue()[name]
    assert f"Proof: {declaration.proof}." in said
    assert f"Example: harness fault {name} {declaration.example}".strip() in said
    for aim in declaration.aims:
        assert isinstance(aim.says, Aim)
        assert f"{aim.says.word}: {aim.says.help}." in said
    for option in declaration.options:
        assert option.option in said
        assert option.says.help in said


@pytest.mark.parametrize("name", catalogue())
def test_the_example_of_every_fault_makes_it(name: str) -> None:
    declaration = catalogue()[name]
    made = example_of(declaration)
    assert type(made) is declaration.make
    assert made.name == name


def test_groups_of_nodes_are_read_from_the_command_line() -> None:
    made = written("partition n1 n2,n3")
    assert isinstance(made, Partition)
    assert made._groups == (("n1",), ("n2", "n3"))


def test_several_nodes_are_written_with_commas_or_apart(five: Cluster) -> None:
    for line in ("freeze n1,n2", "freeze n1 n2"):
        made = written(line)
        assert isinstance(made, Freeze)
        assert made._whom(five) == ("n1", "n2")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("suspend n1 sfha corosync", "suspend: n1 sfha corosync: it takes NODE DAEMON"),
        ("suspend n1", "suspend: missing a required argument: 'daemon'"),
        ("wan-down dijon", "wan-down: too many positional arguments; it takes no argument"),
        ("slow n1 --share much", "slow: --share 'much' is no float"),
        ("slow n1 --share", "slow: --share '' is no float"),
        ("slow n1 --share 2", "slow: share is 2.0; allowed: 0.02 to 1 of a processor"),
        ("address-conflict web other", "address-conflict: web other: it takes VIP"),
        ("drop n1 n1", "drop: both ends are n1; they have to be two"),
    ],
)
def test_what_makes_no_sense_is_told(line: str, words: str) -> None:
    with pytest.raises(UsageError, match=re.escape(words)):
        written(line)


def test_an_unknown_fault_is_told_with_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"there is no fault earthquake; there are: .*freeze"):
        written("earthquake")


def test_the_page_is_what_the_faults_declare() -> None:
    shown = json.loads((ROOT / "docs/faults-shown.json").read_text())
    assert (ROOT / "docs/faults.md").read_text() == page(shown), (
        "make it again: python -m harness.faults.page docs/faults-shown.json > docs/faults.md"
    )


def installed(directory: Path, name: str, point: str) -> subprocess.CompletedProcess[str]:
    """``harness fault --help`` where another package is installed that brings faults along."""
    (directory / "strange_faults.py").write_text(STRANGE.format(name=name))
    metadata = directory / "strange-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: strange\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[harness.faults]\nstrange = {point}\n")
    command = [sys.executable, "-m", "harness.cli.main", "fault", "--help"]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{ROOT}:{directory}"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("point", ["strange_faults", "strange_faults:CalledOtherwise"])
def test_a_fault_of_another_package_is_found_by_its_entry_point(tmp_path: Path, point: str) -> None:
    done = installed(tmp_path, "CalledOtherwise", point)
    assert done.returncode == 0, done.stderr
    assert "called-otherwise  Everybody is called otherwise." in done.stdout


def test_a_fault_of_a_suite_that_is_no_package_is_found_where_the_suite_is(tmp_path: Path) -> None:
    (tmp_path / "strange_faults.py").write_text(STRANGE.format(name="CalledOtherwise"))
    (tmp_path / "pyproject.toml").write_text('[project.entry-points."harness.faults"]\nstrange = "strange_faults"\n')
    command = [sys.executable, "-m", "harness.cli.main", "fault", "--help"]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "called-otherwise" in done.stdout


@pytest.mark.parametrize(
    ("name", "point", "words"),
    [
        ("Kill", "strange_faults", "two faults are called kill, of harness.faults.process.kill and strange_faults"),
        ("Odd", "strange_faults:missing", "fault strange: strange_faults:missing cannot be loaded"),
        ("Odd", "pathlib", "pathlib (entry point strange of harness.faults) declares no fault"),
    ],
)
def test_a_package_that_brings_along_none_or_one_of_ours_is_named(
    tmp_path: Path, name: str, point: str, words: str
) -> None:
    done = installed(tmp_path, name, point)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
