"""What the clusters of plans are made of."""

from pathlib import Path

import pytest

from harness.chaos import designing
from harness.chaos.designing import design
from harness.errors import UsageError
from harness.topology import Topology, load

TOPOLOGIES = Path(__file__).parents[2] / "fixtures/topologies"


def _drawn(**engines: str) -> Topology:
    data = load(TOPOLOGIES / "three-sites.toml").to_json()
    for node in data["nodes"]:
        node["engine"] = engines.get(node["name"])
    return Topology.from_json(data)


def _settings(topology: Topology, engine: str, directory: Path) -> dict[str, object]:
    made = design(
        topology,
        {"etcd": {}},
        engine=engine,
        image=str(directory),
        seed=1,
        scenario="a plan",
        run_directory=directory / "run",
    )
    return dict(made.subjects[0].settings())


def test_subjects_are_suited_to_nodes_with_kernels_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(designing, "why_unusable", lambda _engine: None)
    monkeypatch.setattr(designing, "image_called", Path)
    quick = _settings(_drawn(), "local", tmp_path)
    slow = _settings(_drawn(), "uml", tmp_path)
    assert slow != quick
    assert _settings(_drawn(n2="uml"), "local", tmp_path) == slow, "one such node is enough"


def test_an_engine_that_only_a_node_is_on_has_to_be_there_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(designing, "why_unusable", lambda engine: "not here" if engine == "docker" else None)
    with pytest.raises(UsageError, match="a node on the engine docker: not here"):
        _settings(_drawn(n2="docker"), "local", tmp_path)
