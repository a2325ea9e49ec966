"""The histories of models that are judged as a whole are right or wrong as they are said to be."""

import pytest

from harness.bench.objects import MODELS, measure


@pytest.mark.parametrize("wrong", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_a_history_is_judged_as_what_it_is(model: str, wrong: bool) -> None:
    found = measure(model, 400, wrong, repeats=2, seed=7)
    assert (found.answer, found.count) == ("wrong" if wrong else "right", 400)
    assert len(found.judged_s) == 2
    assert min(found.judged_s) > 0.0
