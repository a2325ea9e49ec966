"""What module 3 makes sure of, and where."""

import pytest
import yaml

from harness.stack.dataservices.credentials.core import POSTGRESQL as CREDENTIALS
from harness.stack.dataservices.inventory.core import read
from harness.stack.dataservices.plan.core import Action, Check, File, Packages, Plan, told
from harness.stack.dataservices.plan.module import ModuleImpossible
from harness.stack.dataservices.plan.script import script_of
from harness.stack.dataservices.postgresql.module import PostgresqlModule
from tests.stack.dataservices.servers import POSTGRESQL

SECRETS = {name: f"secret{number}" * 4 for number, name in enumerate(CREDENTIALS.variables)}
SERVERS, BALANCERS = ("pg-01", "pg-02", "pg-03"), ("lb-01", "lb-02")


def plan() -> Plan:
    """Of the small inventory."""
    return PostgresqlModule().plan(read(POSTGRESQL), SECRETS)


def actions(server: str) -> list[Action]:
    """All that is made sure of on a server, in order."""
    return [one for stage in plan().stages for one in stage.actions.get(server, ())]


def files(server: str) -> dict[str, File]:
    """What a server has by the end of it."""
    return {one.path: one for one in actions(server) if isinstance(one, File)}


def test_stages_are_in_the_order_that_is_promised() -> None:
    names = [stage.name for stage in plan().stages]
    assert names == [
        *("credentials", "prepared", "etcd", "patroni", "database"),
        *("haproxy", "pgbouncer", "pgvector", "validated"),
    ]


def test_whoever_needs_the_credentials_has_them_before_anything_else() -> None:
    first = plan().stages[0]
    assert set(first.actions) == {*SERVERS, *BALANCERS}
    for server in first.actions:
        file = files(server)["/opt/keyservices/credentials/postgres.env"]
        assert file.mode == 0o600
        assert all(f"{name}={value}\n" in file.content for name, value in SECRETS.items())


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
                assert not file.mode & 0o007, file.path


@pytest.mark.parametrize("server", SERVERS)
def test_what_is_acknowledged_is_on_two_servers(server: str) -> None:
    patroni = yaml.safe_load(files(server)["/etc/patroni/config.yml"].content)
    dcs = patroni["bootstrap"]["dcs"]
    assert dcs["synchronous_mode"] is dcs["synchronous_mode_strict"] is True
    assert dcs["loop_wait"] + 2 * dcs["retry_timeout"] <= dcs["ttl"]
    assert patroni["name"] == server
    assert len([line for line in patroni["postgresql"]["pg_hba"] if line.startswith("host replication")]) == 4


@pytest.mark.parametrize("server", SERVERS)
def test_etcd_knows_all_members_and_listens_for_clients_at_home_alone(server: str) -> None:
    etcd = yaml.safe_load(files(server)["/etc/keyservices/etcd.yml"].content)
    assert etcd["listen-client-urls"] == "http://127.0.0.1:2379"
    assert etcd["initial-cluster"].count("=http://") == 3
    assert f"{server}={etcd['initial-advertise-peer-urls']}" in etcd["initial-cluster"]


def test_no_cluster_is_founded_by_installing_a_package() -> None:
    does = actions("pg-01")
    before = next(place for place, one in enumerate(does) if isinstance(one, File) and "createcluster.d" in one.path)
    assert before < next(place for place, one in enumerate(does) if isinstance(one, Packages))


@pytest.mark.parametrize("balancer", BALANCERS)
def test_a_balancer_knows_all_servers_for_writers_and_for_readers(balancer: str) -> None:
    section = files(balancer)["/etc/haproxy/services.d/postgresql.cfg"].content
    for number in (1, 2, 3):
        assert section.count(f"server pg-0{number} 10.0.0.1{number}:5432\n") == 2
    assert "OPTIONS uri /primary" in section
    assert "OPTIONS uri /replica" in section


def test_every_port_of_a_balancer_is_tried_in_the_end() -> None:
    checks = [one.command for one in plan().stages[-1].actions["lb-01"] if isinstance(one, Check)]
    assert [port for port in ("-p 5432", "-p 5433", "-p 6432") if not any(port in one for one in checks)] == []


def test_an_address_of_version_6_is_in_brackets_where_a_port_follows() -> None:
    table = POSTGRESQL.replace("10.0.0.1", "fd00::1")
    module = PostgresqlModule().plan(read(table), SECRETS)
    found = [
        one
        for stage in module.stages
        for server in ("pg-01", "lb-01")
        for one in stage.actions.get(server, ())
        if isinstance(one, File)
    ]
    content = {one.path: one.content for one in found}
    assert "http://[fd00::11]:2380" in content["/etc/keyservices/etcd.yml"]
    assert "server pg-01 [fd00::11]:5432\n" in content["/etc/haproxy/services.d/postgresql.cfg"]
    patroni = yaml.safe_load(content["/etc/patroni/config.yml"])
    assert "host replication replicator fd00::11/128 scram-sha-256" in patroni["postgresql"]["pg_hba"]
    assert patroni["restapi"]["listen"] == "[fd00::11]:8008"


def test_a_server_cannot_be_its_own_balancer() -> None:
    table = POSTGRESQL.replace("pg-03\tpostgresql", "pg-03\tpostgresql,haproxy")
    with pytest.raises(ModuleImpossible, match="pg-03: PostgreSQL and its balancer"):
        PostgresqlModule().plan(read(table), SECRETS)
