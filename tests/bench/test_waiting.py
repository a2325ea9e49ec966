"""A benchmark that waits in vain says for what."""

import pytest

from harness.bench.waiting import until
from harness.errors import HarnessError


def test_it_returns_once_it_holds_and_says_what_did_not() -> None:
    answers = iter((False, False, True))
    until(lambda: next(answers), "it answers", within_s=60, every_s=0)
    assert list(answers) == []
    with pytest.raises(HarnessError, match="it answers: not within 0 s"):
        until(lambda: False, "it answers", within_s=0, every_s=0)
