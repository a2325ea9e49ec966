"""The list of nodes of a corosync.conf is that of what was rendered; what cannot be understood is none."""

from hypothesis import given
from hypothesis import strategies as st

from harness.stack.sfha.membership.core import RingNode, Totem, render_corosync_conf
from harness.stack.sfha.membership.nodelist import Listed, Nodelist, nodelist_of

TOTEM = Totem("udpu", 150, 180)
NUMBERS = st.lists(st.integers(1, 250), min_size=1, max_size=9, unique=True)
VOTES = st.lists(st.integers(0, 2), min_size=9, max_size=9)


def conf(nodes: list[RingNode]) -> str:
    return render_corosync_conf("demo", nodes, TOTEM, "")


@given(NUMBERS, VOTES)
def test_what_was_rendered_is_what_is_read(numbers: list[int], votes: list[int]) -> None:
    nodes = [RingNode(n, f"n{n}", f"10.90.0.{n}", vote) for n, vote in zip(numbers, votes, strict=False)]
    wanted = Nodelist(
        frozenset(Listed(one.node_id, one.address, one.votes) for one in nodes),
        two_node=len([one for one in nodes if one.votes]) == 2,
    )
    assert nodelist_of(conf(nodes)) == wanted
    assert nodelist_of(conf(nodes[::-1])) == wanted, "their order makes no difference"


def test_a_vote_is_a_difference_and_so_is_being_counted_as_two() -> None:
    def two(votes: int) -> Nodelist | None:
        return nodelist_of(conf([RingNode(n, f"n{n}", f"10.90.0.{n}", 1 if n == 1 else votes) for n in (1, 2)]))

    assert two(0) != two(1)
    listed = two(1)
    assert listed is not None
    assert listed.two_node


def test_a_node_without_votes_of_its_own_has_one() -> None:
    found = nodelist_of("nodelist {\n node {\n nodeid: 7\n ring0_addr: 10.0.0.7\n }\n}\n")
    assert found == Nodelist(frozenset({Listed(7, "10.0.0.7", 1)}))


def test_what_is_no_list_is_none() -> None:
    for text in ("", "}}}}", "totem {\n}\n", "nodelist {\n}\n", "nodelist {\nnode {\nnodeid: x\n}\n}\n"):
        assert nodelist_of(text) is None


LINES = ("nodelist {", "node {", "quorum {", "}", "nodeid: 7", "nodeid: x", "quorum_votes: -1", "two_node: 1", "#", "{")


@given(st.lists(st.sampled_from(LINES), max_size=30))
def test_whatever_stands_in_a_file_it_can_be_looked_at(lines: list[str]) -> None:
    found = nodelist_of("\n".join(lines))
    assert found is None or {one.node_id for one in found.nodes} == {7}
