"""Module 9: K3s of three masters with an etcd each, any number of workers, and an ingress on every node.

Who begins the cluster is decided by what every master has (founding.py). The ingress and all that is behind it are in
the network of their hosts: where VXLAN between nodes is blocked, visitors do not notice.

The program k3s is in no package: it has to be on every server beforehand, and nothing is changed where it is not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from ..credentials.core import K3S, Credentials
from ..inventory.core import Inventory, Role, Server
from ..plan.beginning import beginning, each
from ..plan.core import Action, Command, Directory, File, Packages, Plan, Stage, Unit
from ..plan.dying import unmasked
from ..plan.footprint import Footprint
from ..plan.module import Failover, ModuleImpossible, check_roles
from ..templates.render import render
from .failover import failover_of
from .founding import founding
from .places import (
    API_PORT,
    CONF,
    FOOTPRINT,
    HTTP_PORT,
    HTTPS_PORT,
    INGRESS_NODE_PORT,
    KUBECTL,
    MANIFESTS,
    MASTER_UNIT,
    PING_PORT,
    PODS,
    PROGRAM,
    SECRETS,
    SERVICES,
    STATE,
    WORKER_UNIT,
    has_k3s,
    names,
    nodes_of,
    place,
    up,
)

INGRESS = "keyservices-ingress/ingress"
INGRESS_CLASS = "keyservices"
IMAGE = "docker.io/library/traefik:v3.5"
"""Not ingress-nginx, which has had no fixes since March 2026."""
DNS_COPIES = 2
_MODULES = "/etc/modules-load.d/keyservices-k3s.conf"
_READY_WITHIN_S, _ADDONS_WITHIN_S = 300, 180


@dataclass(frozen=True, slots=True)
class K3sModule:
    """See the module's docstring."""

    number: int = 9
    name: str = "k3s"
    title: str = "K3s HA"
    roles: tuple[Role, ...] = (Role.K3S_MASTER,)
    credentials: Credentials | None = K3S
    footprint: Footprint = FOOTPRINT

    def plan(self, inventory: Inventory, secrets: Mapping[str, str]) -> Plan:
        """Credentials, firewall, the masters one by one, workers, addons, the ingress, and that all of it answers."""
        check_roles(self, inventory)
        masters, workers, nodes = inventory.of(Role.K3S_MASTER), _workers(inventory), nodes_of(inventory)
        if both := [one.name for one in nodes if Role.HAPROXY in one.roles]:
            raise ModuleImpossible(f"{', '.join(both)}: a balancer and an ingress cannot have one address")
        prepared = {
            **{one.name: _prepared(one, masters, MASTER_UNIT) for one in masters},
            **{one.name: _prepared(one, masters, WORKER_UNIT) for one in workers},
        }
        manifest = Directory(MANIFESTS, 0o700), File(f"{MANIFESTS}/keyservices-ingress.yaml", _ingress(), 0o600)
        return Plan(
            self.name,
            (
                *beginning(self, inventory, secrets, prepared),
                Stage("firewall networks", each(nodes, tuple(_let_through(network) for network in (PODS, SERVICES)))),
                founding(masters, _started),
                *((Stage("workers", each(workers, (_runs(WORKER_UNIT),))),) if workers else ()),
                Stage("addons", {masters[0].name: _addons()}),
                # The same on all: each master makes the cluster as its own file says.
                Stage("ingress", each(masters, manifest)),
                Stage("validated", each(masters, _proof(nodes))),
            ),
            needs=(has_k3s(nodes),),
        )

    def failover(self, inventory: Inventory) -> Failover | None:
        """The master whose controllers lead dies at once."""
        return failover_of(inventory)


def _workers(inventory: Inventory) -> tuple[Server, ...]:
    return tuple(one for one in inventory.of(Role.K3S_WORKER) if Role.K3S_MASTER not in one.roles)


def _prepared(server: Server, masters: Sequence[Server], unit: str) -> tuple[Action, ...]:
    serves = unit == MASTER_UNIT
    conf = render(
        "k3s.yaml.j2",
        name=server.name,
        address=server.address,
        masters=[one.address for one in masters] if serves else [],
        # Once it is in, a worker remembers all masters.
        server="" if serves else f"https://{place(masters[0])}:{API_PORT}",
        pods=PODS,
        services=SERVICES,
    )
    mode, kind = ("server", "notify") if serves else ("agent", "exec")
    state = files(__package__).joinpath("state.py").read_text(encoding="utf-8")
    return (
        Packages(("iptables", "kmod", "procps", "python3")),
        Directory("/etc/rancher"),
        Directory("/etc/rancher/k3s", 0o700),
        Directory("/etc/rancher/k3s/config.yaml.d", 0o700),
        Directory("/usr/local/lib/keyservices"),
        Directory("/etc/modules-load.d"),
        File(_MODULES, "br_netfilter\noverlay\n"),
        File(STATE, state, 0o755),
        File(CONF, conf, 0o600),
        File(
            f"/etc/systemd/system/{unit}",
            render("k3s.service.j2", mode=mode, kind=kind, program=PROGRAM, secrets=SECRETS),
        ),
        unmasked(unit),
    )


def _let_through(network: str) -> Command:
    """Where UFW is in force; the ports between nodes are openings of the footprint."""
    in_force = "ufw status 2>/dev/null | grep -q '^Status: active'"
    return Command(
        f"ufw allow from {network} && ufw route allow from {network} to any",
        f"! {{ {in_force}; }} || {{ ufw show added | grep -q 'ufw allow from {network}'"
        f" && ufw show added | grep -q 'ufw route allow from {network}'; }}",
        about=f"the firewall lets {network} through",
    )


def _started(master: Server, inside: Sequence[Server], way: File) -> tuple[Action, ...]:
    """One master runs, and sees all that came in before it."""
    ready = up(_READY_WITHIN_S, "ready", *names(inside))
    return way, _runs(MASTER_UNIT, way.path), ready


def _runs(unit: str, *more: str) -> Unit:
    return Unit(unit, (CONF, f"/etc/systemd/system/{unit}", SECRETS, *more))


def _addons() -> tuple[Action, ...]:
    copies = f"{KUBECTL} -n kube-system get deployment coredns -o jsonpath='{{.spec.replicas}}' | grep -qx {DNS_COPIES}"
    return (
        up(_ADDONS_WITHIN_S, "deployment", "kube-system/coredns", "1"),
        # One alone would be gone with its node until somebody notices.
        Command(f"{KUBECTL} -n kube-system scale deployment coredns --replicas={DNS_COPIES}", copies),
    )


def _ingress() -> str:
    namespace, _, _ = INGRESS.partition("/")
    return render(
        "k3s-ingress.yaml.j2",
        within=namespace,
        ingress_class=INGRESS_CLASS,
        image=IMAGE,
        http_port=HTTP_PORT,
        https_port=HTTPS_PORT,
        ping_port=PING_PORT,
        node_port=INGRESS_NODE_PORT,
    )


def _proof(nodes: Sequence[Server]) -> tuple[Action, ...]:
    return (
        up(_READY_WITHIN_S, "nodes", *names(nodes)),
        up(_ADDONS_WITHIN_S, "deployment", "kube-system/coredns", str(DNS_COPIES)),
        up(_ADDONS_WITHIN_S, "storageclass"),
        up(_ADDONS_WITHIN_S, "daemonset", INGRESS, *names(nodes)),
    )
