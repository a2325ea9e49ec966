"""What links may be told to be like, and in which words they are refused."""

from pathlib import Path
from typing import Any

import pytest

from harness.character import PROFILES, Character
from harness.errors import UsageError
from harness.topology import Topology, load

FIXTURES = Path(__file__).parent.parent / "fixtures" / "topologies"


def with_link(**keys: Any) -> Topology:
    return Topology.from_json(
        {
            "name": "drawn",
            "sites": [{"name": "dijon"}, {"name": "thory"}],
            "nodes": [{"name": "n1", "site": "dijon"}, {"name": "n2", "site": "thory"}],
            "links": [{"name": "wire", "between": ["dijon", "thory"], **keys}],
        },
        "my.toml",
    )


def test_a_profile_is_the_base_of_what_is_said_besides() -> None:
    link = with_link(profile="ocean", loss_percent=2.5).link("wire")
    assert link.character == Character(latency_ms=45.0, jitter_ms=2.0, loss_percent=2.5)
    assert link.character.words == "latency 45 ms, jitter 2 ms, loss 2.5 %"
    assert with_link().link("wire").character == Character()
    assert with_link(profile="dsl").link("wire").character == PROFILES["dsl"]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"latency_ms": -1}, "wire: latency_ms is -1; allowed: from 0 to 10000 ms, one way"),
        ({"latency_ms": float("nan")}, "wire: latency_ms is nan; allowed: from 0"),
        ({"latency_ms": True}, "wire: latency_ms is True; allowed: from 0"),
        ({"loss_percent": "5"}, "wire: loss_percent is '5'; allowed: from 0 to 100 %"),
        ({"rate_mbit": 0}, "wire: rate_mbit is 0; allowed: from 0.01 to 10000 Mbit/s"),
        (
            {"rate_mbit": 1, "queue_packets": 2.5},
            "wire: queue_packets is 2.5; allowed: a whole number from 1 to 100000",
        ),
        ({"queue_packets": 10}, "wire: queue_packets is given; allowed: with rate_mbit"),
        ({"profile": "moon"}, "wire: profile is 'moon'; allowed: lan, metro, continent, ocean, dsl, lte, satellite"),
        ({"latency_ms": 5, "jitter_ms": 6}, "wire: jitter_ms is 6; allowed: at most the latency, 5 ms"),
        ({"reordering_percent": 1}, "wire: reordering_percent is given; allowed: with latency_ms above 0"),
        ({"latency": 5}, 'links[0].latency: unknown key; did you mean "latency_ms"?'),
        ({"site": "dijon"}, "wire: says where it is by just one of these; allowed: site, between, node"),
        ({"between": ["dijon", "dijon"]}, "wire: is between dijon and itself; allowed: two sites"),
        ({"between": ["dijon", "lyon"]}, "links[0].between: there is no site 'lyon'"),
        ({"between": None, "node": "n3"}, "links[0].node: there is no node 'n3'"),
    ],
)
def test_a_mistake_is_refused_with_file_link_key_and_what_is_allowed(keys: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as refused:
        with_link(**keys)
    assert str(refused.value).startswith("my.toml: links[0]")
    assert words in str(refused.value)


def test_all_wrong_values_of_a_link_are_named_at_once() -> None:
    with pytest.raises(UsageError) as refused:
        with_link(latency_ms=-1, loss_percent=101)
    assert len(str(refused.value).splitlines()) == 2


def test_the_longest_way_is_that_between_the_farthest_nodes() -> None:
    assert load(FIXTURES / "three-sites.toml").longest_way_ms == 0
    assert load(FIXTURES / "ocean.toml").longest_way_ms == 47
