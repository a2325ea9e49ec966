"""What is done to the master that leads, and what has to be so from then on. A plan: there is no K3s here to kill."""

import pytest

from harness.stack.dataservices.inventory.core import read
from harness.stack.dataservices.k3s.failover import failover_of
from harness.stack.dataservices.plan.core import Check
from tests.stack.dataservices.failovers import killed_by
from tests.stack.dataservices.servers import K3S

INVENTORY = read(K3S)
FAILOVER = failover_of(INVENTORY)


def test_any_master_may_lead_and_only_the_leader_is_killed() -> None:
    assert [one.name for one in FAILOVER.candidates] == ["m-01", "m-02", "m-03"]
    for leader in FAILOVER.candidates:
        assert killed_by(FAILOVER.plan(leader)) == {leader.name}


@pytest.mark.parametrize("leader", ["m-01", "m-03"])
def test_the_api_of_every_other_master_answers_while_it_is_dead(leader: str) -> None:
    plan = FAILOVER.plan(INVENTORY.named(leader))
    names = [stage.name for stage in plan.stages]
    assert names == [
        *("all are ready", "something is written", f"{leader} dies", "the API answers", "another one leads"),
        *("workers find another", f"{leader} is back"),
    ]
    answers = plan.stages[names.index("the API answers")].actions
    assert set(answers) == {"m-01", "m-02", "m-03"} - {leader}
    for does in answers.values():
        said = [one.command for one in does if isinstance(one, Check)]
        assert "/readyz" in said[0]
        assert leader in said[1], "what was written through the dead one is read"
        assert "annotate" in said[2], "and a change is taken"
    assert set(plan.stages[names.index("workers find another")].actions) == {"w-01", "w-02"}


def test_it_is_whole_again_in_the_end() -> None:
    last = FAILOVER.plan(INVENTORY.named("m-02")).stages[-1]
    (does,) = last.actions.values()
    assert [one.command for one in does if isinstance(one, Check)][-1].endswith("nodes m-01 m-02 m-03 w-01 w-02 <$said")
