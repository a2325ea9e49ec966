"""What module 8 makes sure of, and where. ProxySQL itself is not here: all but the program is."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.stack.dataservices.credentials.core import PROXYSQL as CREDENTIALS
from harness.stack.dataservices.inventory.core import read
from harness.stack.dataservices.plan.core import Action, Carried, Command, Directory, File, Plan, told
from harness.stack.dataservices.plan.module import ModuleImpossible
from harness.stack.dataservices.plan.script import script_of
from harness.stack.dataservices.programs.core import Program
from harness.stack.dataservices.proxysql.module import ProxysqlModule
from tests.stack.dataservices.servers import PROXYSQL

SECRETS = {name: f"secret{number}" * 4 for number, name in enumerate(CREDENTIALS.variables)}
PROXIES, NODES = ("proxy-01", "proxy-02"), ("db-01", "db-02", "db-03")
PACKAGE = Program("/opt/keyservices/packages/proxysql_3.0.1-debian12_amd64.deb", "a" * 64)
MODULE = ProxysqlModule(PACKAGE)


def plan(table: str = PROXYSQL) -> Plan:
    """Of the small inventory."""
    return MODULE.plan(read(table), SECRETS)


def actions(server: str) -> list[Action]:
    """All that is made sure of on a server, in order."""
    return [one for stage in plan().stages for one in stage.actions.get(server, ())]


def files(server: str) -> dict[str, File]:
    """What a server has by the end of it."""
    return {one.path: one for one in actions(server) if isinstance(one, File)}


@pytest.mark.promise("S4-53")
def test_stages_are_in_the_order_that_is_promised() -> None:
    assert [stage.name for stage in plan().stages] == [
        *("credentials", "prepared", "deployed", "backends"),
        *("account of the monitor", "monitoring", "validated"),
    ]


@pytest.mark.promise("S4-56")
def test_the_proxies_have_their_own_credentials_and_not_those_of_galera() -> None:
    assert set(plan().stages[0].actions) == {*PROXIES}
    for server in PROXIES:
        file = files(server)["/opt/keyservices/credentials/proxysql.env"]
        assert file.mode == 0o600
        assert {line.partition("=")[0] for line in file.content.splitlines()} == {*CREDENTIALS.variables}
        assert not {"MARIADB_TRANSFER_PASSWORD", "MARIADB_CHECK_PASSWORD"} & {*CREDENTIALS.variables}
    assert [one.name for one in CREDENTIALS.holders(read(PROXYSQL))] == ["install-01", *PROXIES]


def test_the_application_logs_in_by_the_password_of_galera() -> None:
    settings = json.loads(files("proxy-01")["/etc/keyservices/proxysql.json"].content)
    (user,) = settings["parts"]["backends"]["mysql_users"]
    assert user["password"] == SECRETS["MARIADB_APP_PASSWORD"]


def test_no_secret_is_told_or_on_a_command_line() -> None:
    secrets = [*SECRETS.values()]
    assert not [line for line in told(plan()) for secret in secrets if secret in line]
    for stage in plan().stages:
        for does in stage.actions.values():
            assert not [secret for secret in secrets if secret in script_of(does)]
    for server in PROXIES:
        for file in files(server).values():
            if any(secret in file.content for secret in secrets):
                assert not file.mode & 0o007, file.path


@pytest.mark.parametrize("server", PROXIES)
@pytest.mark.promise("S4-09", "S4-72")
def test_a_file_is_written_where_the_plan_has_made_a_folder_before(server: str) -> None:
    there = {"/etc", "/etc/systemd/system"}
    for action in actions(server):
        match action:
            case Directory(path):
                there.add(path)
            case File(path) | Carried(path):
                assert path.rpartition("/")[0] in there, path


def test_the_packages_own_unit_is_put_away_before_ours_runs() -> None:
    said = [one.said() for one in actions("proxy-01")]
    put_away = next(place for place, line in enumerate(said) if "disable -q --now proxysql.service" in line)
    ours = next(place for place, line in enumerate(said) if line.startswith("unit keyservices-proxysql.service"))
    package = next(place for place, line in enumerate(said) if "amd64.deb is installed" in line)
    assert package < put_away < ours


def test_the_monitor_may_log_in_from_the_proxies_alone() -> None:
    (account,) = (one for stage in plan().stages for one in stage.actions.get("db-01", ()) if isinstance(one, Command))
    names = [line.split()[4] for line in account.stdin.splitlines()]
    assert names == ["'proxysql'@'10.0.0.31'", "'proxysql'@'10.0.0.32'"]
    assert "grant" not in account.stdin


def test_its_admin_interface_is_for_the_proxy_itself_alone() -> None:
    conf = files("proxy-01")["/etc/keyservices/proxysql.cnf"].content
    assert 'mysql_ifaces="127.0.0.1:6032"' in conf
    assert f'admin_credentials="admin:{SECRETS["PROXYSQL_ADMIN_PASSWORD"]}"' in conf


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_its_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    text = files("proxy-01")["/etc/systemd/system/keyservices-proxysql.service"].content
    unit = tmp_path / "keyservices-proxysql.service"
    unit.write_text(text.replace("/usr/bin/proxysql", "/bin/true").replace("User=proxysql\n", "User=root\n"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    assert not [line for line in done.stderr.splitlines() if "proxysql" in line]


def test_a_node_cannot_be_its_own_proxy() -> None:
    with pytest.raises(ModuleImpossible, match="db-03: a node and its proxy"):
        plan(PROXYSQL.replace("db-03\tgalera", "db-03\tgalera,proxysql"))


def test_without_its_package_there_is_no_plan() -> None:
    with pytest.raises(ModuleImpossible, match="does not know its package"):
        ProxysqlModule().plan(read(PROXYSQL), SECRETS)
