"""What is done to the node of the main process, and what has to be so from then on. A plan: there is no n8n here."""

from harness.stack.dataservices.inventory.core import read
from harness.stack.dataservices.n8n.failover import failover_of
from harness.stack.dataservices.plan.core import Check, Command
from tests.stack.dataservices.servers import K3S

INVENTORY = read(K3S)
FAILOVER = failover_of(INVENTORY)


def test_who_leads_is_who_has_the_main_process() -> None:
    assert [one.name for one in FAILOVER.candidates] == ["m-03", "w-01"]
    assert "sport = :5678" in FAILOVER.leads


def test_only_its_node_dies_and_the_others_go_on_meanwhile() -> None:
    for lost, left in (("m-03", "w-01"), ("w-01", "m-03")):
        plan = FAILOVER.plan(INVENTORY.named(lost))
        names = [stage.name for stage in plan.stages]
        assert names == [
            *("all of it runs", f"{lost} dies", "workers and webhooks go on", "the main process is elsewhere"),
            *(f"{lost} is back", "all of it runs again"),
        ]
        assert set(plan.stages[1].actions) == {lost}
        killed = [one.command for one in plan.stages[1].actions[lost] if isinstance(one, Command)]
        unit = "k3s.service" if lost == "m-03" else "k3s-agent.service"
        assert f"--kill-whom=all {unit}" in killed[0]
        assert set(plan.stages[2].actions) == {left}


def test_the_main_process_answers_through_both_balancers_while_its_node_is_dead() -> None:
    plan = FAILOVER.plan(INVENTORY.named("w-01"))
    elsewhere = plan.stages[3]
    assert set(elsewhere.actions) == {"lb-01", "lb-02"}
    for does in elsewhere.actions.values():
        (check,) = does
        assert isinstance(check, Check)
        assert check.command.endswith("ask 127.0.0.1:80 n8n.keyservices.internal /healthz/readiness")
