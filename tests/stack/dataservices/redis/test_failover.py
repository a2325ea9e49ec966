"""What is done to whoever is master, and what has to be so from then on."""

from harness.stack.dataservices.plan.core import Ask, Check, told
from harness.stack.dataservices.redis.failover import failover_of
from tests.stack.dataservices.failovers import killed_by
from tests.stack.dataservices.servers import small

INVENTORY = small()
FAILOVER = failover_of(INVENTORY)


def test_any_server_may_be_master_and_only_the_master_is_killed() -> None:
    assert [one.name for one in FAILOVER.candidates] == ["redis-01", "redis-02", "redis-03"]
    for master in FAILOVER.candidates:
        assert killed_by(FAILOVER.plan(master)) == {master.name}


def test_clients_write_before_it_dies_and_all_is_counted_after_it_follows() -> None:
    assert [stage.name for stage in FAILOVER.plan(INVENTORY.named("redis-02")).stages] == [
        *("all follow", "clients write", "redis-02 dies", "another one is master", "writes go on"),
        *("redis-02 comes back", "redis-02 follows", "nothing is lost", "tidied up"),
    ]


def test_sentinels_have_to_name_another_and_balancers_have_to_lead_there() -> None:
    stages = {stage.name: stage for stage in FAILOVER.plan(INVENTORY.named("redis-02")).stages}
    asked = stages["another one is master"].actions
    assert set(asked) == {"redis-01", "redis-03", "lb-01", "lb-02"}
    for name in ("redis-01", "redis-03"):
        assert any(isinstance(one, Check) and "10.0.0.12" in one.command for one in asked[name])


def test_each_balancers_client_is_compared_with_every_server() -> None:
    stage = next(one for one in FAILOVER.plan(INVENTORY.named("redis-01")).stages if one.name == "nothing is lost")
    for balancer in ("lb-01", "lb-02"):
        (ask,) = (one for one in stage.actions[balancer] if isinstance(one, Ask))
        assert f" keyservices-failover-{balancer} " in ask.command
        assert ask.command.endswith("10.0.0.11,6379 10.0.0.12,6379 10.0.0.13,6379")


def test_no_secret_is_on_its_command_lines() -> None:
    lines = "\n".join(told(FAILOVER.plan(INVENTORY.named("redis-01"))))
    assert "/opt/keyservices/credentials/redis.env" in lines
    assert "PASSWORD=" not in lines
