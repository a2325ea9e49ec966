"""What the bench of workers reads from a session."""

import pytest

from harness.bench.workers import counted, why


@pytest.mark.parametrize(
    ("output", "counts"),
    [
        ("..s\n1 failed, 2 passed, 3 skipped in 4.00s", {"failed": 1, "passed": 2, "skipped": 3}),
        ("3 passed in 60.00s (0:01:00)\nmore", {"passed": 3}),
        ("nothing of the kind", {}),
    ],
)
def test_outcomes_are_counted_from_the_last_line_that_counts_them(output: str, counts: dict[str, int]) -> None:
    assert counted(output) == counts


def test_what_failed_is_named() -> None:
    summary = (
        "FAILED scenarios/sfha/mesh/test_join.py::test_a - VIOLATED\nERROR scenarios/sfha/power/test_power.py::test_b\n"
    )
    assert why(f"{summary}2 failed in 4.00s") == "test_a, test_b"
    assert why("1 failed in 4.00s") == "{'failed': 1}"
    assert why("") == "nothing ran"
