"""What a design says of its subjects together."""

from dataclasses import replace
from pathlib import Path

from harness.subjects.etcd.subject import Etcd
from harness.subjects.keepalived.subject import Keepalived
from harness.subjects.sfha.subject import Sfha
from harness.topology import Topology, engine_words, load
from tests.clusters import drawn


def test_every_subject_has_its_say_in_what_runs_are_judged_by(tmp_path: Path) -> None:
    design = replace(drawn(tmp_path).design, subjects=(Sfha(), Etcd()))
    assert list(design.standing) == [
        "one_holder",
        "never_without_quorum",
        "loop_not_blocked",
        "agree_afterwards",
        "nothing_lost",
    ]
    assert "leader-elected" in design.log_stages


def test_what_has_no_quorum_is_not_judged_by_it(tmp_path: Path) -> None:
    design = replace(drawn(tmp_path).design, subjects=(Keepalived(), Etcd()))
    assert list(design.standing) == ["one_holder", "nothing_lost"]
    assert design.log_stages == {}


def test_a_node_is_on_the_engine_that_the_topology_draws_or_on_that_of_the_others(tmp_path: Path) -> None:
    alone = drawn(tmp_path).design
    assert alone.engines == {"n1": "local", "n2": "local", "n3": "local"}
    nodes = [node.model_dump() | {"engine": "uml" if node.name == "n2" else None} for node in alone.topology.nodes]
    topology = Topology.from_json(alone.topology.to_json() | {"nodes": nodes})
    mixed = replace(alone, topology=Topology.from_json(topology.to_json()))
    assert mixed.engines == {"n1": "local", "n2": "uml", "n3": "local"}
    assert engine_words("local", mixed.engines) == "local; n2 on uml"
    assert engine_words("local", alone.engines) == engine_words("local", {}) == "local"
    assert engine_words("docker", {"n1": "uml", "n2": "local"}) == "n1 on uml; n2 on local"


def test_subjects_are_slower_where_kernels_are_and_say_so() -> None:
    sfha, etcd = Sfha().suited(own_kernels=True), Etcd().suited(own_kernels=True)
    assert sfha.settings()["profile"] == "steady"
    assert sfha.settings()["blocked_s"] == 1.0
    assert etcd.settings()["election_ms"] == 2000
    assert Keepalived().suited(own_kernels=True) == Keepalived()
    for one in (Sfha(), Etcd()):
        assert one.suited(own_kernels=False) == one
    chosen = Sfha(profile="lan").suited(own_kernels=True)
    assert chosen.settings()["profile"] == "lan", "what somebody chose stays"
    limits = [one.arguments for one in sfha.standing if one.check == "loop_not_blocked"]
    assert limits == [{"limit_s": 1.0}]


def test_the_topology_that_ships_with_one_own_kernel() -> None:
    shipped = load(Path(__file__).parents[1] / "fixtures/topologies/one-own-kernel.toml")
    assert shipped.engines("docker") == {"n1": "uml", "n2": "docker", "n3": "docker"}
