"""What module 7 makes sure of, and where."""

import configparser
import json

import pytest

from harness.stack.dataservices.credentials.core import GALERA as CREDENTIALS
from harness.stack.dataservices.galera.module import GaleraModule
from harness.stack.dataservices.inventory.core import read
from harness.stack.dataservices.plan.core import Action, Check, Command, File, Packages, Plan, told
from harness.stack.dataservices.plan.module import ModuleImpossible
from harness.stack.dataservices.plan.script import script_of
from tests.stack.dataservices.servers import GALERA

SECRETS = {name: f"secret{number}" * 4 for number, name in enumerate(CREDENTIALS.variables)}
SERVERS, BALANCERS = ("db-01", "db-02", "db-03"), ("lb-01", "lb-02")


def plan(table: str = GALERA) -> Plan:
    """Of the small inventory."""
    return GaleraModule().plan(read(table), SECRETS)


def actions(server: str, table: str = GALERA) -> list[Action]:
    """All that is made sure of on a server, in order."""
    return [one for stage in plan(table).stages for one in stage.actions.get(server, ())]


def files(server: str, table: str = GALERA) -> dict[str, File]:
    """What a server has by the end of it."""
    return {one.path: one for one in actions(server, table) if isinstance(one, File)}


def test_stages_are_in_the_order_that_is_promised() -> None:
    names = [stage.name for stage in plan().stages]
    assert names == [
        *("credentials", "prepared", "galera"),
        *(f"settings of {server}" for server in SERVERS),
        *("health", "load balancer", "validated"),
    ]


def test_whoever_needs_the_credentials_has_them_before_anything_else_and_nobody_else_has() -> None:
    first = plan().stages[0]
    assert set(first.actions) == {*SERVERS}
    for server in first.actions:
        file = files(server)["/opt/keyservices/credentials/mariadb.env"]
        assert file.mode == 0o600
        assert all(f"{name}={value}\n" in file.content for name, value in SECRETS.items())


def test_no_secret_is_told_or_on_a_command_line() -> None:
    secrets = [*SECRETS.values()]
    assert not [line for line in told(plan()) for secret in secrets if secret in line]
    for stage in plan().stages:
        for does in stage.actions.values():
            assert not [secret for secret in secrets if secret in script_of(does)]


def test_files_with_secrets_are_not_everybodys_to_read() -> None:
    found = [file for server in (*SERVERS, *BALANCERS) for file in files(server).values()]
    secret = [file for file in found if any(one in file.content for one in SECRETS.values())]
    assert len(secret) == 3 * len(SERVERS)
    assert not [file.path for file in secret if file.mode & 0o007]


@pytest.mark.parametrize("server", SERVERS)
def test_a_node_knows_all_members_and_syncs_what_it_acknowledges(server: str) -> None:
    settings = configparser.ConfigParser()
    settings.read_string(files(server)["/etc/mysql/mariadb.conf.d/90-keyservices.cnf"].content)
    node = settings["mariadbd"]
    assert node["wsrep_cluster_address"] == "gcomm://10.0.0.11,10.0.0.12,10.0.0.13"
    assert node["wsrep_node_name"] == server
    assert node["innodb_flush_log_at_trx_commit"] == "1"
    assert node["wsrep_sst_auth"] == f"transfer:{SECRETS['MARIADB_TRANSFER_PASSWORD']}"
    assert "pc.recovery=TRUE" in node["wsrep_provider_options"]


def test_mariadb_is_not_started_by_being_installed() -> None:
    does = actions("db-01")
    before = next(place for place, one in enumerate(does) if isinstance(one, File) and "mariadb.service.d" in one.path)
    configured = next(place for place, one in enumerate(does) if isinstance(one, File) and one.path.endswith(".cnf"))
    assert before < next(place for place, one in enumerate(does) if isinstance(one, Packages)) < configured
    assert "ConditionPathExists=/etc/mysql/mariadb.conf.d/90-keyservices.cnf\n" in does[before].content  # type: ignore[union-attr]


def test_settings_are_taken_up_by_one_node_at_a_time() -> None:
    restarting = [
        [*stage.actions]
        for stage in plan().stages
        if any(isinstance(one, Command) and "restart" in one.command for does in stage.actions.values() for one in does)
    ]
    assert restarting == [["db-01"], ["db-02"], ["db-03"]]


@pytest.mark.parametrize("server", SERVERS)
def test_whether_a_node_may_be_used_is_answered_by_the_node_itself(server: str) -> None:
    settings = json.loads(files(server)["/etc/keyservices/galera-health.json"].content)
    assert settings["address"] == f"10.0.0.1{server[-1]}"
    assert settings["user"] == "check"


@pytest.mark.parametrize("balancer", BALANCERS)
def test_one_node_is_written_to_and_all_are_read(balancer: str) -> None:
    section = files(balancer)["/etc/haproxy/services.d/galera.cfg"].content
    writer, reader = section.split("\nbackend galera-writer\n")[1].split("\nbackend galera-reader\n")
    assert [line.split()[1:] for line in writer.splitlines() if " server " in line] == [
        ["db-01", "10.0.0.11:3306", "on-marked-up", "shutdown-backup-sessions"],
        ["db-02", "10.0.0.12:3306", "backup"],
        ["db-03", "10.0.0.13:3306", "backup"],
    ]
    assert [line.split()[1:] for line in reader.splitlines() if " server " in line] == [
        [f"db-0{number}", f"10.0.0.1{number}:3306"] for number in (1, 2, 3)
    ]
    assert "GET uri /writer" in writer
    assert "GET uri /reader" in reader


def test_every_port_of_every_balancer_is_tried_in_the_end() -> None:
    checks = [one.command for one in plan().stages[-1].actions["db-01"] if isinstance(one, Check)]
    ports = [f"-h 10.0.0.2{number} -P {port} " for number in (1, 2) for port in (3306, 3307)]
    assert [port for port in ports if not any(port in one for one in checks)] == []


def test_an_address_of_version_6_is_in_brackets_where_a_port_follows() -> None:
    table = GALERA.replace("10.0.0.", "fd00::")
    assert (
        "gcomm://[fd00::11],[fd00::12]" in files("db-01", table)["/etc/mysql/mariadb.conf.d/90-keyservices.cnf"].content
    )
    assert "server db-01 [fd00::11]:3306" in files("lb-01", table)["/etc/haproxy/services.d/galera.cfg"].content


def test_a_server_cannot_be_its_own_balancer() -> None:
    with pytest.raises(ModuleImpossible, match="db-03: MariaDB and its balancer"):
        plan(GALERA.replace("db-03\tgalera", "db-03\tgalera,haproxy"))
