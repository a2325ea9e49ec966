"""What is done to one of the servers, and what has to be so from then on."""

import pytest

from harness.stack.dataservices.apps.failover import failover_of
from harness.stack.dataservices.inventory.core import read
from harness.stack.dataservices.plan.core import Check, Command, Plan, told
from tests.stack.dataservices.servers import APPS, K3S


def plan(table: str) -> Plan:
    """If the first one dies."""
    failover = failover_of(read(table))
    (lost,) = failover.candidates
    return failover.plan(lost)


def commands(what: Plan, stage: str, server: str) -> list[str]:
    """Of one stage on one server."""
    (found,) = (one for one in what.stages if one.name == stage)
    return [one.command for one in found.actions[server] if isinstance(one, Command | Check)]


@pytest.mark.parametrize(("table", "lost"), [(APPS, "s-01"), (K3S, "w-01")])
def test_visitors_come_before_it_dies_and_are_served_meanwhile(table: str, lost: str) -> None:
    names = [stage.name for stage in plan(table).stages]
    assert names == [
        *("all are ready", "visitors come", f"{lost} dies", "visitors are served"),
        *(f"{lost} is back", "all are ready again", "nothing is lost", "tidied up"),
    ]
    for balancer in ("lb-01", "lb-02"):
        begun = " ".join(commands(plan(table), "visitors come", balancer))
        assert " 127.0.0.1:80,platform-api.keyservices.internal,platform.keyservices.internal " in begun


def test_both_services_of_it_die_and_come_back() -> None:
    (death,) = commands(plan(APPS), "s-01 dies", "s-01")
    assert "--signal=KILL --kill-whom=all keyservices-api.service keyservices-front.service" in death
    (back,) = commands(plan(APPS), "s-01 is back", "s-01")
    assert back.endswith("systemctl start keyservices-api.service keyservices-front.service")


def test_in_k3s_the_node_dies_with_whoever_would_start_its_pods_again() -> None:
    node, pods = commands(plan(K3S), "w-01 dies", "w-01")
    assert "--signal=KILL --kill-whom=all k3s-agent.service" in node
    assert "--kill-whom=all kubepods.slice" in pods


@pytest.mark.parametrize(
    ("table", "apis"), [(APPS, "10.0.0.11:8081 10.0.0.13:8081"), (K3S, "10.0.0.41:8081 10.0.0.42:8081")]
)
def test_every_api_has_to_have_all(table: str, apis: str) -> None:
    for balancer in ("lb-01", "lb-02"):
        assert commands(plan(table), "nothing is lost", balancer)[-1].endswith(f" {apis}")


def test_no_secret_is_on_its_command_lines() -> None:
    lines = "\n".join(told(plan(APPS)))
    assert "/opt/keyservices/credentials/apps.env" in lines
    assert "export PGPASSWORD=$POSTGRES_APP_PASSWORD" in lines
