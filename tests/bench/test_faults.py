"""Faults and their times, as a table."""

from harness.bench.faults import Measured, section


def test_what_was_measured_elsewhere_failed_or_is_impossible_says_so() -> None:
    page = section(
        [
            Measured("kill", "local", (0.02, 0.03), (0.08, 0.09)),
            Measured("clock-back", "uml", (0.5,), (0.1,)),
            Measured("disk-slow", "local", remark="impossible here", lacking=True),
            Measured("slow", "local", (0.5,), (0.1,), "of 2 some failed: late"),
        ]
    )
    assert "| kill | 2 | 25.0 | 30.0 | 85.0 | 90.0 |  |" in page
    assert "| clock-back | 1 | 500 | 500 | 100 | 100 | on uml |" in page
    assert "| disk-slow | 0 | - | - | - | - | impossible here |" in page
    assert "| slow | 1 | 500 | 500 | 100 | 100 | of 2 some failed: late |" in page
