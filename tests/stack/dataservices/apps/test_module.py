"""What module 10 makes sure of, and where: on servers of its own, and in a K3s."""

import ast
import json
import sys
from typing import Any

import pytest
import yaml

from harness.stack.dataservices.apps.module import AppsModule
from harness.stack.dataservices.credentials.core import APPS as CREDENTIALS
from harness.stack.dataservices.inventory.core import read
from harness.stack.dataservices.plan.core import Action, Check, File, Plan, Unit, told
from harness.stack.dataservices.plan.module import ModuleImpossible
from harness.stack.dataservices.plan.script import script_of
from tests.stack.dataservices.servers import APPS, K3S

SECRETS = {name: f"secret{number}" * 4 for number, name in enumerate(CREDENTIALS.variables)}
SERVERS, BALANCERS, MASTERS = ("s-01", "s-03"), ("lb-01", "lb-02"), ("m-01", "m-02", "m-03")
MANIFEST = "/var/lib/rancher/k3s/server/manifests/keyservices-apps.yaml"


def plan(table: str = APPS) -> Plan:
    """Of an inventory."""
    return AppsModule().plan(read(table), SECRETS)


def actions(server: str, table: str = APPS) -> list[Action]:
    """All that is made sure of on a server, in order."""
    return [one for stage in plan(table).stages for one in stage.actions.get(server, ())]


def files(server: str, table: str = APPS) -> dict[str, File]:
    """What a server has by the end of it."""
    return {one.path: one for one in actions(server, table) if isinstance(one, File)}


def objects() -> dict[tuple[str, str], dict[str, Any]]:
    """Of the manifest, by kind and name."""
    return {
        (one["kind"], one["metadata"]["name"]): one for one in yaml.safe_load_all(files("m-01", K3S)[MANIFEST].content)
    }


def test_stages_are_in_their_order() -> None:
    names = [stage.name for stage in plan().stages]
    assert names == [*("credentials", "prepared", "table", "API", "front", "ingress", "validated")]
    names = [stage.name for stage in plan(K3S).stages]
    assert names == [
        *("credentials", "prepared", "table", "nodes", "daemonsets", "running", "ingress", "validated"),
    ]


@pytest.mark.parametrize("server", SERVERS)
def test_both_run_as_units_with_what_their_files_say(server: str) -> None:
    units = {one.name: one for one in actions(server) if isinstance(one, Unit)}
    for name in ("api", "front"):
        unit, conf = units[f"keyservices-{name}.service"], files(server)[f"/etc/keyservices/{name}.json"]
        assert {conf.path, "/usr/local/lib/keyservices/services"} <= set(unit.files)
        assert (conf.mode, conf.owner) == (0o640, "root:www-data")
        text = files(server)[f"/etc/systemd/system/{unit.name}"].content
        assert f"ExecStart=/usr/bin/python3 -m services.{name} {conf.path}\n" in text
        assert "User=www-data\n" in text


@pytest.mark.parametrize("server", SERVERS)
def test_the_api_goes_by_pgbouncer_of_either_balancer_and_the_front_by_its_own_api_first(server: str) -> None:
    api = json.loads(files(server)["/etc/keyservices/api.json"].content)
    assert api["postgresql"] == ["10.0.0.21:6432", "10.0.0.22:6432"]
    assert (api["user"], api["database"], api["password"]) == ("app", "app", SECRETS["POSTGRES_APP_PASSWORD"])
    assert api["redis"] == [], "there is no Redis"
    own, other = ("10.0.0.11", "10.0.0.13") if server == "s-01" else ("10.0.0.13", "10.0.0.11")
    front = json.loads(files(server)["/etc/keyservices/front.json"].content)
    assert front["apis"] == [f"{own}:8081", f"{other}:8081"]
    assert (api["address"], front["address"]) == (own, own)


def test_with_a_redis_the_api_is_told_of_it() -> None:
    secret = objects()["Secret", "settings"]["stringData"]
    assert json.loads(secret["api.json"])["redis"] == ["10.0.0.21:6379", "10.0.0.22:6379"]


@pytest.mark.parametrize("balancer", BALANCERS)
@pytest.mark.promise("S4-63", "S4-64")
def test_a_balancer_knows_both_host_names_and_asks_each_server_how_it_is(balancer: str) -> None:
    section = files(balancer)["/etc/haproxy/services.d/apps.cfg"].content
    for name, host, port in (("front", "platform", 8080), ("api", "platform-api", 8081)):
        assert f"use_backend apps-{name} if {{ hdr(host),host_only -i {host}.keyservices.internal }}" in section
        backend = section.partition(f"backend apps-{name}\n")[2].partition("\nbackend")[0]
        assert "http-check send meth GET uri /readyz\n" in backend
        assert [f"server s-0{n} 10.0.0.1{n}:{port}\n" in backend for n in (1, 2, 3)] == [True, False, True]
    checks = [one.command for one in actions(balancer) if isinstance(one, Check)]
    for host in ("platform", "platform-api"):
        assert any(f" ask 127.0.0.1:80 {host}.keyservices.internal /readyz" in one for one in checks)


@pytest.mark.parametrize("name", ["api", "front"])
@pytest.mark.promise("S4-62")
def test_in_k3s_each_is_a_daemonset_in_the_network_of_its_host(name: str) -> None:
    daemonset = objects()["DaemonSet", name]
    pod = daemonset["spec"]["template"]["spec"]
    assert pod["hostNetwork"] is True
    assert pod["nodeSelector"] == {"keyservices.internal/apps": "yes"}
    assert daemonset["spec"]["updateStrategy"]["rollingUpdate"]["maxSurge"] == 0
    (container,) = pod["containers"]
    assert container["command"] == ["python3", "-m", f"services.{name}", f"/run/settings/{name}.json"]
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}
    assert container["securityContext"]["runAsNonRoot"] is True
    running = next(stage for stage in plan(K3S).stages if stage.name == "running")
    asked = " ".join(one.command for does in running.actions.values() for one in does if isinstance(one, Check))
    assert f" daemonset keyservices/{name} w-01 w-02 " in asked


@pytest.mark.promise("S4-63")
def test_in_k3s_each_has_a_port_of_every_node_and_a_host_name() -> None:
    for name, host, port in (("api", "platform-api", 31081), ("front", "platform", 31080)):
        service = objects()["Service", name]["spec"]
        assert (service["type"], service["ports"][0]["nodePort"]) == ("NodePort", port)
        (rule,) = objects()["Ingress", name]["spec"]["rules"]
        assert rule["host"] == f"{host}.keyservices.internal"
        assert rule["http"]["paths"][0]["backend"] == {"service": {"name": name, "port": {"name": "http"}}}
        assert objects()["Ingress", name]["spec"]["ingressClassName"] == "keyservices"
    section = files("lb-01", K3S)["/etc/haproxy/services.d/apps.cfg"].content
    assert [f"server m-0{n} 10.0.0.3{n}:31695\n" in section for n in (1, 2, 3)] == [True] * 3
    assert "check port 8082 " in section


def test_in_k3s_the_programs_are_those_of_servers() -> None:
    programs = objects()["ConfigMap", "programs"]["data"]
    on_servers = {
        path.rpartition("/")[2]: file.content
        for path, file in files("s-01").items()
        if path.startswith("/usr/local/lib/keyservices/services/")
    }
    assert programs == on_servers
    for name, text in programs.items():
        compile(text, name, "exec")


def imported(text: str) -> set[str]:
    """The modules that a program imports from elsewhere."""
    found: set[str] = set()
    for one in ast.walk(ast.parse(text)):
        if isinstance(one, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in one.names}
        elif isinstance(one, ast.ImportFrom) and not one.level:
            found.add(str(one.module).partition(".")[0])
    return found


def test_programs_need_nothing_but_python() -> None:
    for name, text in objects()["ConfigMap", "programs"]["data"].items():
        assert imported(text) <= set(sys.stdlib_module_names), name


def test_other_settings_are_other_pods() -> None:
    def digest(secrets: dict[str, str]) -> str:
        text = AppsModule().plan(read(K3S), secrets)
        file = next(
            one
            for stage in text.stages
            for one in stage.actions.get("m-01", ())
            if isinstance(one, File) and one.path == MANIFEST
        )
        (annotations,) = {
            json.dumps(one["spec"]["template"]["metadata"]["annotations"])
            for one in yaml.safe_load_all(file.content)
            if one["kind"] == "DaemonSet"
        }
        return annotations

    assert digest(SECRETS) == digest(dict(SECRETS))
    assert digest(SECRETS) != digest(SECRETS | {"REDIS_PASSWORD": "another" * 4})


@pytest.mark.parametrize("table", [APPS, K3S])
def test_no_secret_is_told_or_on_a_command_line_or_everybodys_to_read(table: str) -> None:
    secrets = [*SECRETS.values()]
    assert not [line for line in told(plan(table)) for secret in secrets if secret in line]
    for stage in plan(table).stages:
        for server, does in stage.actions.items():
            assert not [secret for secret in secrets if secret in script_of(does)]
            for file in files(server, table).values():
                if any(secret in file.content for secret in secrets):
                    assert not file.mode & 0o007, file.path


def test_in_k3s_nothing_is_begun_without_the_program() -> None:
    assert [stage.name for stage in plan(K3S).needs] == ["k3s"]
    assert plan().needs == ()


@pytest.mark.parametrize(
    ("table", "why"),
    [
        (APPS.replace("postgresql,apps", "postgresql,haproxy,apps"), "s-01, s-03: API and front and their balancer"),
        (K3S.replace("postgresql,redis\t10.0.0.12", "postgresql,redis,apps\t10.0.0.12"), "pg-02: with K3s"),
    ],
)
def test_where_it_cannot_be(table: str, why: str) -> None:
    with pytest.raises(ModuleImpossible, match=why):
        plan(table)
