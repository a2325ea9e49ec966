"""What is done to whoever leads, and what has to be so from then on."""

from harness.stack.dataservices.inventory.core import read
from harness.stack.dataservices.plan.core import Check, told
from harness.stack.dataservices.postgresql.failover import failover_of
from tests.stack.dataservices.failovers import killed_by
from tests.stack.dataservices.servers import POSTGRESQL

INVENTORY = read(POSTGRESQL)
FAILOVER = failover_of(INVENTORY)


def test_any_server_may_lead_and_only_the_leader_is_killed() -> None:
    assert [one.name for one in FAILOVER.candidates] == ["pg-01", "pg-02", "pg-03"]
    for leader in FAILOVER.candidates:
        assert killed_by(FAILOVER.plan(leader)) == {leader.name}


def test_clients_write_before_it_dies_and_are_compared_after_it_follows_again() -> None:
    names = [stage.name for stage in FAILOVER.plan(INVENTORY.named("pg-02")).stages]
    assert names == [
        *("all follow", "clients write", "pg-02 dies", "another one leads"),
        *("writes go on", "pg-02 follows", "nothing is lost", "tidied up"),
    ]


def test_each_balancer_compares_with_each_server() -> None:
    plan = FAILOVER.plan(INVENTORY.named("pg-01"))
    stage = next(stage for stage in plan.stages if stage.name == "nothing is lost")
    assert set(stage.actions) == {"lb-01", "lb-02"}
    for does in stage.actions.values():
        (check,) = (one for one in does if isinstance(one, Check))
        assert [n for n in (1, 2, 3) if f"10.0.0.1{n},5432" not in check.command] == []


def test_no_secret_is_on_its_command_lines() -> None:
    lines = "\n".join(told(FAILOVER.plan(INVENTORY.named("pg-01"))))
    assert "PASSWORD=$POSTGRES_APP_PASSWORD" in lines
