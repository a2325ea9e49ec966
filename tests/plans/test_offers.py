"""Which nodes a step may hit, as far as a plan can tell."""

import pytest

from harness.plans.offers import Offer, footprint
from harness.topology import load
from tests.clusters import TOPOLOGY


@pytest.mark.parametrize(
    ("aims", "words", "nodes"),
    [
        (("nodes",), ("n1",), {"n1"}),
        (("nodes", "told"), ("n1", "some-daemon"), {"n1"}),
        (("nodes", "told"), ("holder:web", "some-daemon"), {"n1", "n2", "n3"}),
        (("sites",), ("dijon",), {"n1"}),
        (("group",), ("n1", "n2"), {"n1", "n2"}),
        (("told",), ("some-daemon",), {"n1", "n2", "n3"}),
        ((), (), {"n1", "n2", "n3"}),
    ],
)
def test_what_only_the_product_knows_names_no_node(
    aims: tuple[str, ...], words: tuple[str, ...], nodes: set[str]
) -> None:
    offer = Offer(name="any", family="process", group="node", aims=aims, variadic=aims == ("group",))  # type: ignore[arg-type]
    assert footprint(offer, words, load(TOPOLOGY)).nodes == nodes
