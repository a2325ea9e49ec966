"""Whatever values a history has, no check of any model fails: they are understood, or the verdict is UNKNOWN."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.consistency.by_model import MODELS, Question
from harness.checks.consistency.operations import operations_from
from harness.checks.consistency.search import Limits
from harness.errors import UsageError
from harness.formats.pairs import Line
from harness.formats.recorded import operations_in
from tests.checks.consistency.test_oracle import SOME

FUNCTIONS = {
    "register": ("read", "write", "cas", "delete"),
    "kv": ("get", "put", "append"),
    "set": ("add", "read"),
    "queue": ("enqueue", "dequeue", "drain"),
    "bank": ("read", "transfer"),
    "append": ("txn", "append", "read"),
    "counter": ("add", "increment", "read"),
    "rw": ("txn", "read", "write"),
    "lock": ("acquire", "release"),
    "mutex": ("acquire", "release"),
    "multi-register": ("txn", "read", "write"),
}
PLAIN = st.sampled_from([None, None, 0, 1, 2, "a", "b", True, 1.0, 0.1, 2**61, 2**70, 2**70 + 1, -(2**63), ""])
ODD = st.sampled_from([float("inf"), Decimal("0.10"), Decimal("1e900"), Decimal("NaN"), Fraction(1, 3)])
STEP = st.tuples(st.sampled_from(["r", "w", "append", "read", "write"]), st.sampled_from(["x", 1]), PLAIN).map(list)
VALUES = st.recursive(
    PLAIN | PLAIN | ODD | st.lists(STEP, min_size=1, max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", 1, (1, 2)]), inner, max_size=2)
        | st.tuples(st.just("k"), inner).map(list)
    ),
    max_leaves=5,
)


@st.composite
def histories(draw: st.DrawFn, model: str) -> list[Line]:
    """Operations of a model, one after the other or side by side, with values of any kind."""
    found: list[Line] = []
    going: dict[int, Line] = {}
    for number in range(1, draw(st.integers(2, 14))):
        process = draw(st.integers(0, 2))
        value = draw(VALUES)
        begun = going.pop(process, None)
        if begun is not None:
            answer = begun.value if draw(st.booleans()) else value
            kind = draw(st.sampled_from(["ok", "ok", "ok", "fail", "info"]))
            found.append(Line(number, process, kind, begun.function, "", answer))
            continue
        going[process] = Line(number, process, "invoke", draw(st.sampled_from(FUNCTIONS[model])), "", value)
        found.append(going[process])
    return found


@pytest.mark.parametrize("model", MODELS)
@SOME
@given(data=st.data())
def test_no_value_makes_a_check_fail(model: str, data: st.DataObject) -> None:
    lines: list[Line] = data.draw(histories(model))
    initial: Any = data.draw(st.sampled_from([None, None, 0, "a", {"x": 1}]))
    keyed = data.draw(st.sampled_from([None, None, True, False]))
    try:
        operations = operations_from(operations_in(lines, "file"))
        limits = Limits(within_s=2.0, choices=2_000, explain_s=0.2)
        asked = Question(operations=operations, at=str, limits=limits, initial=initial, keyed=keyed)
        found = MODELS[model](asked)
    except UsageError:
        return
    told = "; ".join(map(str, found))
    assert "failed: " not in told, told
