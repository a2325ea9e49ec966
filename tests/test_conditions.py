"""What scenarios wait for: nodes go by several names, and one name alone is not taken apart."""

from collections.abc import Callable, Iterable

import pytest

from harness.conditions import Condition, also_held_by_one_of, held_by_one_of, quorate, said, without_quorum
from harness.errors import UsageError


@pytest.mark.parametrize(
    "condition",
    [
        lambda nodes: held_by_one_of("192.0.2.1", nodes),
        lambda nodes: also_held_by_one_of("192.0.2.1", nodes),
        lambda nodes: quorate(nodes, ("n1",)),
        lambda nodes: quorate(("n1",), nodes),
        without_quorum,
        lambda nodes: said(nodes, "leads"),
    ],
)
def test_one_name_where_several_go_is_refused(condition: Callable[[Iterable[str]], Condition]) -> None:
    assert "n2" in condition(("n2",)).what
    with pytest.raises(UsageError, match="'n2' is one name where several go"):
        condition("n2")
