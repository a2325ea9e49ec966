"""What module 11 makes sure of, and where. Neither K3s nor n8n is in any package here: nothing more can be shown."""

from typing import Any

import pytest
import yaml

from harness.stack.dataservices.credentials.core import N8N as CREDENTIALS
from harness.stack.dataservices.inventory.core import read
from harness.stack.dataservices.n8n.module import N8nModule
from harness.stack.dataservices.plan.core import Action, Check, File, Plan, told
from harness.stack.dataservices.plan.module import ModuleImpossible, check_roles
from harness.stack.dataservices.plan.script import script_of
from harness.stack.dataservices.postgresql.module import PostgresqlModule
from harness.stack.dataservices.programs.core import NotShownHere
from tests.stack.dataservices.servers import K3S

SECRETS = {name: f"secret{number}" * 4 for number, name in enumerate(CREDENTIALS.variables)}
NODES, BALANCERS, MASTERS = ("m-03", "w-01"), ("lb-01", "lb-02"), ("m-01", "m-02", "m-03")
FOLDER = "/var/lib/rancher/k3s/server/manifests"


def plan(table: str = K3S) -> Plan:
    """Of the inventory with a K3s."""
    return N8nModule().plan(read(table), SECRETS)


def actions(server: str) -> list[Action]:
    """All that is made sure of on a server, in order."""
    return [one for stage in plan().stages for one in stage.actions.get(server, ())]


def files(server: str) -> dict[str, File]:
    """What a server has by the end of it."""
    return {one.path: one for one in actions(server) if isinstance(one, File)}


def objects(name: str = "n8n") -> dict[tuple[str, str], dict[str, Any]]:
    """Of a manifest, by kind and name."""
    text = files("m-01")[f"{FOLDER}/keyservices-{name}.yaml"].content
    return {(one["kind"], one["metadata"]["name"]): one for one in yaml.safe_load_all(text)}


def environment(process: str) -> dict[str, str]:
    """What a process is told."""
    kind = "Deployment" if process == "main" else "DaemonSet"
    (container,) = objects()[kind, process]["spec"]["template"]["spec"]["containers"]
    assert [[*one] for one in container["envFrom"]] == [["configMapRef"], ["secretRef"]]
    shared = objects()["ConfigMap", "environment"]["data"] | objects()["Secret", "environment"]["stringData"]
    return {**shared, **{one["name"]: one["value"] for one in container["env"]}}


@pytest.mark.promise("S4-65")
def test_stages_are_in_the_order_that_is_promised() -> None:
    assert [stage.name for stage in plan().stages] == [
        *("credentials", "prepared", "database", "way to the balancers"),
        *("nodes", "deploy", "running", "ingress", "validated"),
    ]


@pytest.mark.promise("S4-65")
def test_whoever_runs_it_has_the_credentials_before_anything_else() -> None:
    first = plan().stages[0]
    assert set(first.actions) == {*NODES}
    for server in first.actions:
        file = files(server)["/opt/keyservices/credentials/n8n.env"]
        assert file.mode == 0o600
        assert all(f"{name}={value}\n" in file.content for name, value in SECRETS.items())


@pytest.mark.promise("S4-66")
@pytest.mark.parametrize("process", ["worker", "webhook"])
def test_workers_and_webhooks_are_on_every_node_in_the_network_of_its_host(process: str) -> None:
    pod = objects()["DaemonSet", process]["spec"]["template"]["spec"]
    assert pod["hostNetwork"] is True
    assert pod["nodeSelector"] == {"keyservices.internal/n8n": "yes"}
    assert pod["tolerations"] == [{"operator": "Exists"}]
    assert pod["containers"][0]["args"] == [process]


def test_the_main_process_is_one_and_is_given_up_with_its_node() -> None:
    main = objects()["Deployment", "main"]["spec"]
    assert (main["replicas"], main["strategy"]) == (1, {"type": "Recreate"})
    assert main["template"]["spec"]["hostNetwork"] is True
    assert "tolerations" not in main["template"]["spec"], "it would stay on a node that is gone"


@pytest.mark.promise("S4-67")
@pytest.mark.parametrize("process", ["main", "worker", "webhook"])
def test_it_goes_by_pgbouncer_and_redis_of_whichever_balancer_answers(process: str) -> None:
    said = environment(process)
    assert said["EXECUTIONS_MODE"] == "queue"
    assert (said["DB_TYPE"], said["DB_POSTGRESDB_HOST"], said["DB_POSTGRESDB_PORT"]) == (
        "postgresdb",
        "127.0.0.1",
        "16432",
    )
    assert (said["QUEUE_BULL_REDIS_HOST"], said["QUEUE_BULL_REDIS_PORT"]) == ("127.0.0.1", "16379")
    assert said["DB_POSTGRESDB_PASSWORD"] == SECRETS["POSTGRES_N8N_PASSWORD"]
    assert said["QUEUE_BULL_REDIS_PASSWORD"] == SECRETS["REDIS_PASSWORD"]
    for node in NODES:
        section = files(node)["/etc/haproxy/services.d/n8n.cfg"].content
        for port, there in (("16432", "6432"), ("16379", "6379")):
            way = section.partition(f"bind 127.0.0.1:{port}\n")[2].partition("listen")[0]
            assert f"server lb-01 10.0.0.21:{there}\n" in way
            assert f"server lb-02 10.0.0.22:{there}\n" in way


def test_no_two_processes_of_a_node_have_one_port() -> None:
    ports = [
        environment(process)[name]
        for process in ("main", "worker", "webhook")
        for name in ("N8N_PORT", "N8N_RUNNERS_BROKER_PORT")
    ]
    assert len({*ports}) == len(ports)


@pytest.mark.promise("S4-67")
def test_module_3_makes_its_database_and_lets_it_in_by_pgbouncer() -> None:
    module = PostgresqlModule()
    assert module.credentials is not None
    secrets = {name: name.lower().replace("_", "") * 2 for name in module.credentials.variables}

    def text(server: str, table: str) -> str:
        stages = module.plan(read(table), secrets).stages
        return "\n".join(repr(one) for stage in stages for one in stage.actions.get(server, ()))

    without = K3S.replace(",n8n", "")
    assert "n8n = host=127.0.0.1 port=5432 dbname=n8n" in text("lb-01", K3S)
    assert f'"n8n" "{secrets["POSTGRES_N8N_PASSWORD"]}"' in text("lb-01", K3S)
    assert "- host n8n n8n all scram-sha-256" in text("pg-01", K3S)
    assert "create database n8n owner n8n;" in text("pg-01", K3S)
    assert "n8n =" not in text("lb-01", without)
    assert "n8n n8n" not in text("pg-01", without)
    assert "create database app owner app;" in text("pg-01", without)


@pytest.mark.promise("S4-68")
def test_database_redis_and_ingress_have_to_answer() -> None:
    stage = plan().stages[-1]
    assert set(stage.actions) == {*NODES, *BALANCERS}
    for server, does in stage.actions.items():
        said = [one.command for one in does if isinstance(one, Check)]
        if server in BALANCERS:
            assert "-p 6432 -U n8n -d n8n" in said[0]
            assert said[1].endswith("ask 127.0.0.1:80 n8n.keyservices.internal /healthz/readiness")
        else:
            assert [one.rpartition(" ask ")[2] for one in said] == [
                f"127.0.0.1:{port} here /healthz/readiness" for port in (5698, 5688)
            ]


@pytest.mark.promise("S4-68")
def test_webhooks_go_to_every_node_and_all_else_to_the_main_process() -> None:
    (rule,) = objects("n8n-ingress")["Ingress", "n8n"]["spec"]["rules"]
    assert rule["host"] == "n8n.keyservices.internal"
    assert [(one["path"], one["backend"]["service"]["name"]) for one in rule["http"]["paths"]] == [
        *(("/webhook", "webhook"), ("/webhook-waiting", "webhook"), ("/", "main")),
    ]
    for service in ("main", "webhook"):
        assert objects()["Service", service]["spec"]["selector"] == {"app": service}


def test_without_k3s_and_without_its_image_nothing_is_begun() -> None:
    program, image = plan().needs
    assert program.name == "k3s"
    assert set(image.actions) == {*NODES}
    assert image.decide is not None
    with pytest.raises(NotShownHere, match=r"there is no image docker\.io/n8nio/n8n:\S+ on w-01: import it"):
        image.decide({"m-03": ("there",), "w-01": ("absent",)})


def test_no_secret_is_told_or_on_a_command_line_or_everybodys_to_read() -> None:
    secrets = [*SECRETS.values()]
    assert not [line for line in told(plan()) for secret in secrets if secret in line]
    for stage in plan().stages:
        for server, does in stage.actions.items():
            assert not [secret for secret in secrets if secret in script_of(does)]
            for file in files(server).values():
                if any(secret in file.content for secret in secrets):
                    assert not file.mode & 0o077, file.path


def test_it_is_nowhere_but_in_k3s_and_needs_what_it_stands_on() -> None:
    with pytest.raises(ModuleImpossible, match="pg-02: n8n runs on nodes of K3s alone"):
        plan(K3S.replace("postgresql,redis\t10.0.0.12", "postgresql,redis,n8n\t10.0.0.12"))
    with pytest.raises(ModuleImpossible, match="needs servers of role redis"):
        check_roles(N8nModule(), read(K3S.replace("postgresql,redis", "postgresql")))
