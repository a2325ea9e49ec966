"""Figures as tables."""

import pytest

from harness.bench.engines import _overhead
from harness.bench.figures import Figure, chosen, markdown, table
from harness.errors import UsageError


def test_every_row_has_as_many_cells_as_the_header() -> None:
    page = markdown("Title", "Method.", (Figure("one", (0.001, 0.002), "said"), Figure("none", (), "why")))
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert len(rows) == 4
    assert {row.count("|") for row in rows} == {8}
    assert "| one | 2 | 1.50 |" in page
    assert "| none | 0 | - | - | - | - | why |" in page


def test_tables_may_have_columns_of_their_own() -> None:
    page = table("Title", "Method.", ("a", "b", "c"), [("1", "2", "3")])
    assert "| --- | ---: | --- |" in page
    assert page.endswith("| 1 | 2 | 3 |\n")


def test_what_is_chosen_by_a_part_of_its_name_has_to_be_there() -> None:
    assert chosen("a", ("any", "no", "bay")) == ("any", "bay")
    with pytest.raises(UsageError, match="--only x: nothing that is measured is called so; there are: any, no"):
        chosen("x", ("any", "no"))


def test_overhead_is_median_by_median() -> None:
    assert _overhead((1.1, 9.0, 1.1), (1.0,)) == "overhead +10%"
    assert _overhead((0.5,), (1.0, 1.0)) == "overhead -50%"
    assert _overhead((0.5,), ()) == ""
