"""A cluster that was left up is taken up by what was written down of it."""

import json
import secrets
from dataclasses import replace
from pathlib import Path

import pytest

from harness.cluster import ClusterDesign
from harness.errors import UsageError
from harness.rundir import RunDirectory
from harness.subjects.keepalived.subject import Keepalived
from harness.subjects.sfha.subject import UnconfiguredSfha
from harness.upright import design_of, write_down
from tests.clusters import drawn


@pytest.fixture
def design(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ClusterDesign:
    monkeypatch.setattr("harness.rundir.RUNS", tmp_path / "runs")
    made = drawn(tmp_path).design
    run_id = f"test-{secrets.token_hex(4)}"
    (tmp_path / "runs" / run_id).mkdir(parents=True)
    return replace(made, run_id=run_id, subjects=(UnconfiguredSfha(), Keepalived(advert_s=0.5)))


def test_the_same_subjects_run_on_it(design: ClusterDesign) -> None:
    write_down(design)
    again = design_of(design.run_id)
    assert (again.topology, again.subjects[1:]) == (design.topology, (Keepalived(advert_s=0.5),))
    assert type(again.subjects[0]) is UnconfiguredSfha


def test_a_subject_that_is_not_here_any_more_is_in_nobodys_way(design: ClusterDesign) -> None:
    write_down(design)
    (file,) = RunDirectory(design.run_id).path.glob("*.json")
    text = file.read_text()
    file.write_text(text.replace("harness.subjects.keepalived.subject:Keepalived", "gone_since:Keepalived"))
    assert json.loads(text) != json.loads(file.read_text())
    again = design_of(design.run_id)
    assert [one.name for one in again.subjects] == ["sfha", "keepalived"]
    assert again.subjects[1].files("n1", again.topology, None) == ()  # type: ignore[arg-type]


def test_a_cluster_of_another_version_is_refused_in_one_line(design: ClusterDesign) -> None:
    write_down(design)
    (file,) = RunDirectory(design.run_id).path.glob("*.json")
    file.write_text(json.dumps(json.loads(file.read_text()) | {"of_tomorrow": 1}))
    with pytest.raises(UsageError, match=f"another version of the harness started {design.run_id}"):
        design_of(design.run_id)
