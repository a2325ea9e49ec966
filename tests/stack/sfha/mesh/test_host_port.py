"""Where a tunnel is reached, as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stack.kit.messages import Message
from harness.stack.sfha.mesh.host_port import fault_of_endpoint, joined, split_endpoint


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("192.0.2.1:51820", ("192.0.2.1", 51820)),
        ("n1.example:1", ("n1.example", 1)),
        ("n1:65535", ("n1", 65535)),
        ("my_host.example.:51820", ("my_host.example.", 51820)),
        ("[fd00:1::1]:51820", ("fd00:1::1", 51820)),
        ("[FD00:1:0::1]:51820", ("fd00:1::1", 51820)),
        ("[fe80::1%eth0]:51820", ("fe80::1%eth0", 51820)),
    ],
)
def test_these_are_endpoints(text: str, parts: tuple[str, int]) -> None:
    assert fault_of_endpoint(text) is None
    assert split_endpoint(text) == parts
    assert split_endpoint(joined(*parts)) == parts


@pytest.mark.parametrize(
    ("text", "bracketed"),
    [
        ("fd00:1::1:51820", "[fd00:1::1]:51820"),
        ("::1:51820", "[::1]:51820"),
        ("fd00:1::1", "[fd00:1::1]:51820"),
        ("2001:db8:1:2:3:4:5:6", "[2001:db8:1:2:3:4:5:6]:51820"),
        ("[fd00:1::1:51820", "[fd00:1::1]:51820"),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused_with_the_form_that_cannot(text: str, bracketed: str) -> None:
    why = fault_of_endpoint(text)
    assert isinstance(why, Message)
    assert (why.key, why.values["bracketed"]) == ("endpoint.brackets", bracketed)
    assert fault_of_endpoint(bracketed) is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "n1", "n1:", ":51820", "n1:0", "n1:65536", "n1:51820x", "n 1:51820", "300.1.1.1:51820", "[n1]:51820"),
        *("[]:51820", "-n1:51820", "n1\n:51820", "n1:\uff15", "a..b:51820", "1.2.3:51820", "n1,n2:51820"),
    ],
)
def test_these_are_none(text: str) -> None:
    why = fault_of_endpoint(text)
    assert isinstance(why, Message)
    assert str(why).isprintable()


@given(st.text(max_size=40))
def test_any_text_is_judged_without_an_exception(text: str) -> None:
    fault_of_endpoint(text)
    fault_of_endpoint(text + ":51820")
