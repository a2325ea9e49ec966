"""Blocks of operations: which operations show that two of them cannot both be in turn."""

import pytest
from msgspec.structs import replace

from harness.checks.consistency.operations import operations_from
from harness.checks.consistency.register import conflicts_of_register
from harness.operations import Operation


def _one(number: int, function: str, value: int, start_s: float, end_s: float) -> Operation:
    written = function == "write"
    return Operation(
        process=number,
        function=function,
        key="x",
        argument=value if written else None,
        result=None if written else value,
        invoked_s=start_s,
        completed_s=end_s,
        number=number,
    )


def test_of_several_answers_the_one_that_returned_first_was_too_early() -> None:
    rows = [
        _one(0, "read", 1, 0.0, 9.0),
        _one(1, "read", 1, 1.0, 2.0),
        _one(2, "read", 1, 1.5, 8.0),
        _one(3, "write", 1, 5.0, 6.0),
    ]
    (conflict,) = conflicts_of_register(operations_from(rows))
    assert (conflict.rule, conflict.rows) == ("out-of-turn", (1, 3))


@pytest.mark.parametrize("shift_s", [0.0, 100.0])
def test_one_value_has_to_last_while_another_was_there(shift_s: float) -> None:
    """What goes on long before or after, on the same register, is not named."""
    rows = [
        _one(0, "write", 1, shift_s + 0.0, shift_s + 1.0),
        _one(1, "write", 2, shift_s + 2.0, shift_s + 3.0),
        _one(2, "read", 1, shift_s + 4.0, shift_s + 5.0),
        _one(3, "read", 1, shift_s + 6.0, shift_s + 7.0),
        _one(4, "write", 7, 50.0, 51.0),
        _one(5, "read", 7, 52.0, 53.0),
    ]
    operations = operations_from(sorted(rows, key=lambda one: one.invoked_s))
    (conflict,) = conflicts_of_register(operations)
    assert conflict.rule == "inside"
    assert {operations.row(row).number for row in conflict.rows} == {0, 1, 3}


def test_two_values_that_each_have_to_last_overlap() -> None:
    rows = [
        _one(0, "write", 1, 0.0, 1.0),
        _one(1, "write", 2, 2.0, 3.0),
        _one(2, "read", 1, 4.0, 5.0),
        _one(3, "read", 2, 6.0, 7.0),
    ]
    (conflict,) = conflicts_of_register(operations_from(rows))
    assert conflict.rule == "overlap"
    assert set(conflict.rows) == {0, 1, 2, 3}


def test_what_happened_to_another_key_hides_nothing() -> None:
    rows = [
        replace(_one(0, "write", 1, 10.0, 11.0), key="first"),
        replace(_one(1, "write", 2, 12.0, 13.0), key="first"),
        replace(_one(2, "read", 1, 14.0, 15.0), key="first"),
        replace(_one(3, "write", 7, 0.0, 1.0), key="second"),
        replace(_one(4, "read", 7, 2.0, 3.0), key="second"),
    ]
    operations = operations_from(rows)
    (conflict,) = conflicts_of_register(operations)
    assert (conflict.rule, operations.names[conflict.key]) == ("inside", "first")
