"""Names mean the same wherever one is, in a source tree and in an installed harness."""

import os
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.images.definition import find_definition, load_definition
from harness.shipped import definition_called, definitions

ROOT = Path(__file__).parents[1]
TOPOLOGIES = sorted(path.stem for path in (ROOT / "fixtures/topologies").glob("*.toml"))
SUITE = """
import pytest
from harness.cluster import Cluster, ClusterDesign
from harness.images import image_called
from harness.pytest_runs import session_directory
from harness.shipped import definition_called
from harness.subjects.found import subject_called
from harness.topology import load

@pytest.fixture
def cluster_design(request, engine_name):
    return ClusterDesign(
        scenario="test_it", topology=load(definition_called("topologies", "single-site", "topology")),
        subjects=(subject_called("redis"),), image=image_called("node"), engine=engine_name, seed=1,
        run_id="test-wheel-" + str(request.config.option.harness_seed), promises=("P-1",),
        run_directory=session_directory(request.config) / "it",
    )

async def test_it(cluster):
    cluster.note("it runs")
"""
TABLE = "".join(f"[[promise]]\nid = 'P-{number}'\nkind = 'behaviour'\ntext = 't'\n" for number in (1, 2))
UNSETTLED = """
import asyncio
from harness.cluster import Cluster

Cluster.until_settled = lambda self: asyncio.sleep(0)
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path / "elsewhere"


def test_names_mean_what_ships() -> None:
    assert sorted(definitions("topologies")) == TOPOLOGIES
    assert {"node", "systemd-trixie"} <= set(definitions("images"))
    assert load_definition(find_definition("node")).suite == "trixie"


def test_those_of_the_current_directory_come_first(elsewhere: Path) -> None:
    (elsewhere / "fixtures/topologies").mkdir(parents=True)
    own = elsewhere / "fixtures/topologies/three-sites.toml"
    own.touch()
    assert definition_called("topologies", "three-sites", "topology") == own
    assert sorted(definitions("topologies")) == TOPOLOGIES


def test_a_directory_of_that_name_is_in_nobodys_way(elsewhere: Path) -> None:
    (elsewhere / "three-sites").mkdir()
    assert definition_called("topologies", "three-sites", "topology").name == "three-sites.toml"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("three-site", "there is no topology 'three-site'; there are: containers, continent, five-nodes, "),
        ("./three-sites", "there is no topology file ./three-sites"),
        ("three-sites.toml", "there is no topology file three-sites.toml"),
    ],
)
def test_what_is_not_there_is_named_with_what_is(name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        definition_called("topologies", name, "topology")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment into which the wheel is installed; what it depends on is borrowed from ours."""
    place = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(place), str(ROOT)]
    subprocess.run([*pip, *build], check=True, cwd=place)
    (wheel,) = place.glob("*.whl")
    venv.create(place / "venv", with_pip=False)
    python = str(place / "venv/bin/python")
    subprocess.run([*pip, "--python", python, "install", "--no-deps", "--no-index", str(wheel)], check=True, cwd=place)
    (packages,) = (place / "venv/lib").glob("python*/site-packages")
    (borrowed,) = (Path(path) for path in sys.path if path.endswith("site-packages"))
    (packages / "borrowed.pth").write_text(f"{borrowed}\n")
    return place / "venv/bin"


def call(program: Path, words: Sequence[str]) -> tuple[int, str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "HARNESS_S"))}
    done = subprocess.run(
        [str(program), *words], capture_output=True, text=True, check=False, timeout=120, env=environment
    )
    return done.returncode, done.stdout + done.stderr


def test_an_installed_harness_has_all_that_it_names(installed: Path) -> None:
    code, said = call(
        installed / "python", ["-c", "import harness.shipped as s; print(s.__file__, *s.definitions('topologies'))"]
    )
    assert code == 0, said
    assert str(installed.parent) in said
    assert sorted(said.split()[1:]) == TOPOLOGIES
    code, said = call(installed / "harness", ["up", "--help"])
    assert code == 0, said
    assert "that ship" in said
    code, said = call(installed / "harness", ["image", "build", "nope"])
    assert code == 2
    kinds = (
        "containers, nats, node, platform, services, services-fenced, services-galera, services-objects, "
        "services-postgresql, services-rabbitmq, storage, systemd-bookworm, systemd-trixie, virtual-machine"
    )
    assert f"there are: {kinds}" in said


@pytest.mark.skipif(os.geteuid() != 0, reason="starting nodes needs root")
def test_an_installed_harness_starts_clusters_and_runs_suites(
    installed: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, said = call(installed / "harness", ["up", "three-sites"])
    assert code == 0, said
    run_id = said.partition("cluster ")[2].split()[0]
    try:
        code, said = call(installed / "harness", ["exec", "--cluster", run_id, "n1", "--", "sfha", "--version"])
        assert code == 0, said
    finally:
        code, said = call(installed / "harness", ["down", run_id])
        assert code == 0, said
    (elsewhere / "test_it.py").write_text(SUITE + UNSETTLED)
    (elsewhere / "pytest.ini").touch()
    code, said = call(installed / "python", ["-m", "pytest", "-p", "no:cacheprovider", "test_it.py"])
    assert code == 0, said
    assert "1 passed" in said
    assert "1 scenarios: 1 holds" in said
    assert f"no table of promises: {elsewhere}/fixtures/promises.toml is not there" in said
    (elsewhere / "fixtures").mkdir()
    (elsewhere / "fixtures/promises.toml").write_text(TABLE)
    monkeypatch.chdir("/")  # the suite's own directory counts, not where one is
    code, said = call(installed / "python", ["-m", "pytest", "-p", "no:cacheprovider", str(elsewhere / "test_it.py")])
    assert code == 0, said
    assert "promises: 1 shown, 1 not shown here" in said
