"""What module 5 makes sure of, and where."""

import pytest

from harness.stack.dataservices.credentials.core import RABBITMQ as CREDENTIALS
from harness.stack.dataservices.inventory.core import read
from harness.stack.dataservices.plan.core import Action, Check, File, Packages, Plan, told
from harness.stack.dataservices.plan.module import ModuleImpossible
from harness.stack.dataservices.plan.script import script_of
from harness.stack.dataservices.rabbitmq.module import RabbitmqModule
from tests.stack.dataservices.servers import RABBITMQ

SECRETS = {name: f"secret{number}" * 4 for number, name in enumerate(CREDENTIALS.variables)}
SERVERS, BALANCERS = ("mq-01", "mq-02", "mq-03"), ("lb-01", "lb-02")


def plan() -> Plan:
    """Of the small inventory."""
    return RabbitmqModule().plan(read(RABBITMQ), SECRETS)


def actions(server: str) -> list[Action]:
    """All that is made sure of on a server, in order."""
    return [one for stage in plan().stages for one in stage.actions.get(server, ())]


def files(server: str) -> dict[str, File]:
    """What a server has by the end of it."""
    return {one.path: one for one in actions(server) if isinstance(one, File)}


def test_stages_are_in_the_order_that_is_promised() -> None:
    names = [stage.name for stage in plan().stages]
    assert names == [
        *("credentials", "prepared", "cluster", "application"),
        *("haproxy", "validated", "quorum queues"),
    ]


def test_whoever_needs_the_credentials_has_them_before_anything_else() -> None:
    first = plan().stages[0]
    assert set(first.actions) == {*SERVERS, *BALANCERS}
    for server in first.actions:
        file = files(server)["/opt/keyservices/credentials/rabbitmq.env"]
        assert file.mode == 0o600
        assert all(f"{name}={value}\n" in file.content for name, value in SECRETS.items())


def test_all_have_the_same_cookie_which_is_nobody_elses_to_read() -> None:
    cookies = [files(server)["/var/lib/rabbitmq/.erlang.cookie"] for server in SERVERS]
    assert {one.content for one in cookies} == {SECRETS["RABBITMQ_ERLANG_COOKIE"]}
    assert {(one.mode, one.owner) for one in cookies} == {(0o400, "rabbitmq:rabbitmq")}


def test_no_secret_is_told_or_on_a_command_line() -> None:
    secrets = [*SECRETS.values()]
    assert not [line for line in told(plan()) for secret in secrets if secret in line]
    for stage in plan().stages:
        for does in stage.actions.values():
            assert not [secret for secret in secrets if secret in script_of(does)]


def test_files_with_secrets_are_not_everybodys_to_read() -> None:
    for server in (*SERVERS, *BALANCERS):
        for file in files(server).values():
            if any(secret in file.content for secret in SECRETS.values()):
                assert not file.mode & 0o077, file.path


@pytest.mark.parametrize("server", SERVERS)
def test_installing_the_package_starts_nothing(server: str) -> None:
    does = actions(server)
    drop_in = files(server)["/etc/systemd/system/rabbitmq-server.service.d/keyservices.conf"]
    assert does.index(drop_in) < next(place for place, one in enumerate(does) if isinstance(one, Packages))
    assert "ConditionPathExists=/etc/rabbitmq/rabbitmq.conf\n" in drop_in.content


@pytest.mark.parametrize("server", SERVERS)
def test_queues_are_quorum_queues_and_who_is_in_the_minority_pauses(server: str) -> None:
    lines = files(server)["/etc/rabbitmq/rabbitmq.conf"].content.splitlines()
    assert "default_queue_type = quorum" in lines
    assert "cluster_partition_handling = pause_minority" in lines
    assert f"listeners.tcp.own = {read(RABBITMQ).named(server).address}:5672" in lines
    nodes = [line for line in lines if line.startswith("cluster_formation.classic_config.nodes.")]
    assert [line.partition(" = ")[2] for line in nodes] == [f"rabbit@10.0.0.1{number}" for number in (1, 2, 3)]


def test_all_begin_at_once_and_have_to_be_one_cluster() -> None:
    stage = next(stage for stage in plan().stages if stage.name == "cluster")
    assert set(stage.actions) == {*SERVERS}
    for does in stage.actions.values():
        (check,) = (one for one in does if isinstance(one, Check))
        assert [f"rabbit@10.0.0.1{number}" in check.command for number in (1, 2, 3)] == [True] * 3


@pytest.mark.parametrize("balancer", BALANCERS)
def test_a_balancer_knows_all_servers_and_sends_a_message_through_them(balancer: str) -> None:
    section = files(balancer)["/etc/haproxy/services.d/rabbitmq.cfg"].content
    assert [f"server mq-0{number} 10.0.0.1{number}:5672\n" in section for number in (1, 2, 3)] == [True] * 3
    checks = [one.command for one in actions(balancer) if isinstance(one, Check)]
    assert any(f" through /opt/keyservices/credentials/rabbitmq.env keyservices-{balancer}" in one for one in checks)


def test_a_server_cannot_be_its_own_balancer() -> None:
    table = RABBITMQ.replace("mq-03\trabbitmq", "mq-03\trabbitmq,haproxy")
    with pytest.raises(ModuleImpossible, match="mq-03: RabbitMQ and its balancer"):
        RabbitmqModule().plan(read(table), SECRETS)


def test_addresses_of_version_6_are_refused() -> None:
    with pytest.raises(
        ModuleImpossible, match="mq-01, mq-02, mq-03: RabbitMQ is installed with addresses of version 4"
    ):
        RabbitmqModule().plan(read(RABBITMQ.replace("10.0.0.1", "fd00::1")), SECRETS)
