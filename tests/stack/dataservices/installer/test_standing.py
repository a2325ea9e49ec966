"""When all of it may be called complete: never by hoping."""

from itertools import product

import pytest

from harness.stack.dataservices.installer.standing import Found, Standing, complete, concluded, judged
from harness.stack.dataservices.plan.core import Plan
from harness.stack.dataservices.plan.module import Failover, Validated

FAILOVER = Failover((), "true", lambda leader: Plan("x", ()))


@pytest.mark.promise("S4-74", "S4-75")
def test_only_what_was_executed_since_is_proven() -> None:
    assert judged("x", (), FAILOVER, proven_at="yesterday").standing is Standing.PROVEN
    assert judged("x", (), FAILOVER, proven_at="").standing is Standing.VALIDATED
    assert judged("x", (), None, proven_at="").standing is Standing.VALIDATED


def test_where_nothing_could_fail_over_its_checks_are_the_proof() -> None:
    assert judged("x", (), Validated(), proven_at="").standing is Standing.PROVEN
    assert judged("x", ("s1: a check",), Validated(), proven_at="").standing is Standing.NOT_PROVEN


def test_what_is_wrong_now_outweighs_what_was_proven_then() -> None:
    found = judged("x", ("s1: unit x.service runs: is not so", "s2: no route"), FAILOVER, proven_at="yesterday")
    assert found.said() == "x: not proven: s1: unit x.service runs: is not so; s2: no route"


@pytest.mark.promise("S4-74", "S4-75")
def test_one_module_that_is_not_proven_is_enough() -> None:
    for standings in product(Standing, repeat=3):
        found = [Found(str(number), one, "") for number, one in enumerate(standings)]
        assert complete(found) == (set(standings) == {Standing.PROVEN})
        assert [*concluded(found)][-1].startswith("complete: ") == complete(found)
    assert not complete(())
    assert [*concluded([Found("a", Standing.PROVEN, "")], whole=False)][-1] == "of those asked for: 1 of 1 proven"
    assert [*concluded(())] == ["not complete: 0 of 0 proven"]
