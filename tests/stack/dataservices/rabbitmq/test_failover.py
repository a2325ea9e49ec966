"""What is done to whoever leads, and what has to be so from then on."""

from harness.stack.dataservices.inventory.core import read
from harness.stack.dataservices.plan.core import Check, Command, told
from harness.stack.dataservices.rabbitmq.failover import failover_of
from tests.stack.dataservices.failovers import killed_by
from tests.stack.dataservices.servers import RABBITMQ

INVENTORY = read(RABBITMQ)
FAILOVER = failover_of(INVENTORY)


def test_any_server_may_lead_and_only_the_leader_is_killed() -> None:
    assert [one.name for one in FAILOVER.candidates] == ["mq-01", "mq-02", "mq-03"]
    for leader in FAILOVER.candidates:
        assert killed_by(FAILOVER.plan(leader)) == {leader.name}


def test_who_leads_is_who_leads_a_queue_that_clients_use() -> None:
    assert "keyservices-lb-01" in FAILOVER.leads
    begun = next(stage for stage in FAILOVER.plan(FAILOVER.candidates[0]).stages if stage.name == "clients publish")
    commands = [one.command for one in begun.actions["lb-01"] if isinstance(one, Command)]
    assert any(one.count(" write ") == 1 and " keyservices-lb-01 " in one for one in commands)


def test_clients_publish_before_it_dies_and_all_is_counted_after_it_is_a_member_again() -> None:
    names = [stage.name for stage in FAILOVER.plan(INVENTORY.named("mq-02")).stages]
    assert names == [
        *("all are members", "clients publish", "mq-02 dies", "another one leads"),
        *("publishing goes on", "mq-02 is a member again", "nothing is lost"),
    ]


def test_each_balancer_takes_what_its_own_client_published() -> None:
    stage = FAILOVER.plan(INVENTORY.named("mq-01")).stages[-1]
    assert set(stage.actions) == {"lb-01", "lb-02"}
    for balancer, does in stage.actions.items():
        (check,) = (one for one in does if isinstance(one, Check))
        assert check.command.endswith(f" keyservices-{balancer}")


def test_no_secret_is_on_its_command_lines() -> None:
    lines = "\n".join(told(FAILOVER.plan(INVENTORY.named("mq-01"))))
    assert "/opt/keyservices/credentials/rabbitmq.env" in lines
    assert "PASSWORD" not in lines
