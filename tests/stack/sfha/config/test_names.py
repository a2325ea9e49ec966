"""What clusters and nodes may be called; whatever may, Corosync's file can hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stack.kit.messages import Message
from harness.stack.sfha.config.names import LONGEST_BYTES, fault_of_node_name, fault_of_text
from harness.stack.sfha.membership.core import RingNode, Totem, render_corosync_conf
from harness.stack.sfha.membership.ownership import describe

LINE_BYTES = 511


@pytest.mark.parametrize("name", ["demo", "prod # 1", "été", "a: b", 'x"y', LONGEST_BYTES * "x"])
def test_these_are_names(name: str) -> None:
    assert fault_of_text(name) is None


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("", "name.empty"),
        (" \t", "name.empty"),
        ("prod {eu}", "name.brace"),
        ("a}", "name.brace"),
        ("a\nb", "name.unwritable"),
        ("a\rb", "name.unwritable"),
        ("a\x00b", "name.unwritable"),
        ("a\u2028b", "name.unwritable"),
        ("a\udcffb", "name.unwritable"),
        ((LONGEST_BYTES + 1) * "x", "name.long"),
        (LONGEST_BYTES * "é", "name.long"),
    ],
)
def test_these_are_none_and_it_is_said_why_in_one_line(name: str, key: str) -> None:
    why = fault_of_text(name)
    assert isinstance(why, Message)
    assert why.key == key
    for said in (why.said("en"), why.said("fr")):
        assert said.isprintable()
        said.encode()


@given(st.text(max_size=500))
def test_what_may_be_a_name_comes_out_of_corosyncs_file_as_it_went_in(name: str) -> None:
    if fault_of_text(name) is not None:
        return
    text = render_corosync_conf(name, [RingNode(1, "n1", "10.90.0.1", 1)], Totem("knet", 300, 360), "/l")
    assert describe(text).cluster == name.strip()
    assert describe(text).nodes == ("n1",)
    assert max(len(line.encode()) for line in text.splitlines()) < LINE_BYTES


@pytest.mark.parametrize("name", ["n1", "db.paris", "a-b", "N" * 63])
def test_nodes_have_names_like_hosts(name: str) -> None:
    assert fault_of_node_name(name) is None


@pytest.mark.parametrize("name", ["", "web_01", "-a", "a-", "a b", "a{", "a\n", "N" * 64])
def test_other_names_are_no_nodes(name: str) -> None:
    why = fault_of_node_name(name)
    assert why is not None
    assert "--node-name" in str(why)
