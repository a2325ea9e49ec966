"""What module 9 makes sure of, and where. The program k3s is in no package here, so this is all that can be shown."""

from typing import Any

import pytest
import yaml

from harness.stack.dataservices.credentials.core import K3S as CREDENTIALS
from harness.stack.dataservices.inventory.core import read
from harness.stack.dataservices.k3s.module import K3sModule
from harness.stack.dataservices.k3s.places import FOOTPRINT, NODES
from harness.stack.dataservices.plan.core import Action, Check, Command, Decided, File, Plan, Stage, Unit, told
from harness.stack.dataservices.plan.footprint import spans
from harness.stack.dataservices.plan.module import ModuleImpossible
from harness.stack.dataservices.plan.script import script_of
from harness.stack.dataservices.programs.core import NotShownHere
from tests.stack.dataservices.servers import K3S

SECRETS = dict.fromkeys(CREDENTIALS.variables, "t0kent0kent0kent0kent0ken")
MASTERS, WORKERS = ("m-01", "m-02", "m-03"), ("w-01", "w-02")
MANIFEST = "/var/lib/rancher/k3s/server/manifests/keyservices-ingress.yaml"


def plan(table: str = K3S) -> Plan:
    """Of the inventory with a K3s."""
    return K3sModule().plan(read(table), SECRETS)


def masters_decided() -> Decided:
    """On the first day."""
    stage = next(stage for stage in plan().stages if stage.name == "masters")
    assert stage.decide is not None
    return stage.decide(dict.fromkeys(MASTERS, ("nothing",)))


def all_stages() -> list[Stage]:
    """With those that are decided, in order."""
    flat: list[Stage] = []
    for stage in plan().stages:
        flat += [stage, *masters_decided().stages] if stage.decide else [stage]
    return flat


def actions(server: str) -> list[Action]:
    """All that is made sure of on a server, in order."""
    return [one for stage in all_stages() for one in stage.actions.get(server, ())]


def files(server: str) -> dict[str, File]:
    """What a server has by the end of it."""
    return {one.path: one for one in actions(server) if isinstance(one, File)}


def settings(server: str) -> dict[str, Any]:
    """What its K3s reads: all of both files."""
    there = files(server)
    whole: dict[str, Any] = {}
    for path in ("/etc/rancher/k3s/config.yaml", "/etc/rancher/k3s/config.yaml.d/10-keyservices.yaml"):
        if path in there:
            whole |= yaml.safe_load(there[path].content)
    return whole


def ingress() -> dict[tuple[str, str], dict[str, Any]]:
    """The objects of its manifest, by kind and name."""
    return {(one["kind"], one["metadata"]["name"]): one for one in yaml.safe_load_all(files("m-01")[MANIFEST].content)}


@pytest.mark.promise("S4-57")
def test_stages_are_in_the_order_that_is_promised() -> None:
    assert [stage.name for stage in plan().stages] == [
        *("credentials", "prepared", "firewall networks", "masters", "workers", "addons", "ingress", "validated"),
    ]


@pytest.mark.promise("S4-60")
def test_the_first_master_begins_and_the_others_join_it_with_the_token() -> None:
    assert settings("m-01")["cluster-init"] is True
    for other in MASTERS[1:]:
        assert "cluster-init" not in settings(other)
        assert settings(other)["server"] == "https://10.0.0.31:6443"
    for master in MASTERS:
        assert settings(master)["tls-san"] == ["10.0.0.31", "10.0.0.32", "10.0.0.33"]
        assert settings(master)["advertise-address"] == read(K3S).named(master).address
    for worker in WORKERS:
        assert settings(worker) == {
            "node-name": worker,
            "node-ip": read(K3S).named(worker).address,
            "server": "https://10.0.0.31:6443",
        }
    for server in (*MASTERS, *WORKERS):
        assert files(server)["/opt/keyservices/credentials/k3s.env"].content == f"K3S_TOKEN={SECRETS['K3S_TOKEN']}\n"


@pytest.mark.parametrize("server", [*MASTERS, *WORKERS])
def test_a_server_runs_what_it_is_and_takes_the_token_from_its_file(server: str) -> None:
    mode, name = ("server", "k3s.service") if server in MASTERS else ("agent", "k3s-agent.service")
    unit = files(server)[f"/etc/systemd/system/{name}"].content.splitlines()
    assert f"ExecStart=/usr/local/bin/k3s {mode}" in unit
    assert "EnvironmentFile=/opt/keyservices/credentials/k3s.env" in unit
    (runs,) = (one for one in actions(server) if isinstance(one, Unit))
    assert runs.name == name
    # Whatever it reads, it is started again with.
    assert {path for path in files(server) if path.startswith("/etc/rancher") or path.endswith(name)} <= set(runs.files)


def test_masters_come_in_one_by_one() -> None:
    assert [stage.name for stage in masters_decided().stages] == ["m-01 is in", "m-02 is in", "m-03 is in"]


def test_what_is_validated_is_every_node_dns_storage_and_the_ingress() -> None:
    stage = plan().stages[-1]
    assert set(stage.actions) == {*MASTERS}
    for does in stage.actions.values():
        said = [one.command for one in does if isinstance(one, Check)]
        assert [
            what in command
            for what, command in zip(("nodes", "coredns 2", "storageclass", "ingress"), said, strict=True)
        ] == [True] * 4
        assert said[0].endswith("nodes m-01 m-02 m-03 w-01 w-02 <$said")


@pytest.mark.promise("S4-58")
def test_the_ingress_is_on_every_node_in_the_network_of_its_host() -> None:
    daemonset = ingress()["DaemonSet", "ingress"]
    pod = daemonset["spec"]["template"]["spec"]
    assert pod["hostNetwork"] is True
    assert pod["dnsPolicy"] == "Default", "the resolver of the cluster may be behind VXLAN"
    assert pod["tolerations"] == [{"operator": "Exists"}]
    assert "nodeSelector" not in pod
    assert daemonset["spec"]["updateStrategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
    assert (
        daemonset["spec"]["selector"]["matchLabels"].items()
        <= daemonset["spec"]["template"]["metadata"]["labels"].items()
    )
    (container,) = pod["containers"]
    assert [one["containerPort"] for one in container["ports"]] == [80, 443]
    assert "--entrypoints.web.address=:80" in container["args"]
    assert "--providers.kubernetesingress.ingressclass=keyservices" in container["args"]
    assert ("IngressClass", "keyservices") in ingress()


@pytest.mark.promise("S4-59")
def test_it_is_also_reached_by_the_port_of_every_node() -> None:
    service = ingress()["Service", "ingress"]["spec"]
    assert service["type"] == "NodePort"
    assert service["externalTrafficPolicy"] == "Local"
    assert service["ports"] == [{"name": "web", "port": 80, "targetPort": "web", "nodePort": 31695}]
    assert service["selector"] == {"app": "ingress"}


def test_what_may_be_read_by_the_ingress_is_granted_to_its_own_account() -> None:
    binding = ingress()["ClusterRoleBinding", "keyservices-ingress"]
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "ingress", "namespace": "keyservices-ingress"}]
    verbs = {verb for rule in ingress()["ClusterRole", "keyservices-ingress"]["rules"] for verb in rule["verbs"]}
    assert verbs == {"get", "list", "watch", "update"}
    assert ingress()["DaemonSet", "ingress"]["spec"]["template"]["spec"]["serviceAccountName"] == "ingress"


def test_all_masters_have_the_same_manifest() -> None:
    assert len({files(master)[MANIFEST].content for master in MASTERS}) == 1


@pytest.mark.promise("S4-57")
def test_the_firewall_lets_pods_and_services_through_on_every_node() -> None:
    stage = next(stage for stage in plan().stages if stage.name == "firewall networks")
    assert set(stage.actions) == {*MASTERS, *WORKERS}
    for does in stage.actions.values():
        said = " ".join(one.command for one in does if isinstance(one, Command))
        assert "ufw allow from 10.42.0.0/16" in said
        assert "ufw allow from 10.43.0.0/16" in said


def test_every_port_that_it_needs_is_declared_once() -> None:
    opened = {
        (port, opening.protocol)
        for opening in FOOTPRINT.openings
        for first, port in spans(opening.ports)
        if first == port
    }
    assert {(6443, "tcp"), (10250, "tcp"), (8472, "udp"), (80, "tcp"), (443, "tcp"), (31695, "tcp")} <= opened
    assert all(set(opening.roles) <= set(NODES) for opening in FOOTPRINT.openings)


def test_without_the_program_nothing_is_begun() -> None:
    (needed,) = plan().needs
    assert set(needed.actions) == {*MASTERS, *WORKERS}
    assert needed.decide is not None
    answers = dict.fromkeys((*MASTERS, *WORKERS), ("there",))
    assert needed.decide(answers).stages == ()
    with pytest.raises(
        NotShownHere, match=r"there is no k3s on w-02: put the program of a release at /usr/local/bin/k3s"
    ):
        needed.decide(answers | {"w-02": ("absent",)})


def test_no_secret_is_told_or_on_a_command_line() -> None:
    assert not [line for line in told(plan()) if SECRETS["K3S_TOKEN"] in line]
    for stage in all_stages():
        for does in stage.actions.values():
            assert SECRETS["K3S_TOKEN"] not in script_of(does)


def test_a_balancer_cannot_be_a_node_as_well() -> None:
    with pytest.raises(ModuleImpossible, match="w-02: a balancer and an ingress cannot have one address"):
        plan(K3S.replace("k3s-worker,apps\t", "k3s-worker,apps,haproxy\t"))


def test_a_cluster_of_masters_alone_has_no_stage_for_workers() -> None:
    table = "\n".join(line for line in K3S.splitlines() if "k3s-worker" not in line)
    assert "workers" not in [stage.name for stage in plan(table.replace(",n8n", "")).stages]
