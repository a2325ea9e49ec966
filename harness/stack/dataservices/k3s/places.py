"""Where what is of a K3s of this module, how it is reached, and how it is asked. Pure."""

from collections.abc import Sequence

from ..credentials.core import K3S
from ..inventory.core import Inventory, Role, Server
from ..plan.core import Check, Command, Stage
from ..plan.footprint import ANYBODY, Footprint, Leftover, Opening, Setting
from ..plan.module import CREDENTIALS
from ..plan.needs import present

PROGRAM = "/usr/local/bin/k3s"
SECRETS = f"{CREDENTIALS}/{K3S.file}"
CONF, JOIN = "/etc/rancher/k3s/config.yaml", "/etc/rancher/k3s/config.yaml.d/10-keyservices.yaml"
"""What a server always is, and how it came into the cluster."""
DATA = "/var/lib/rancher/k3s"
MEMBER = f"{DATA}/server/db/etcd"
"""A master that has this has been in a cluster."""
MANIFESTS = f"{DATA}/server/manifests"
"""What is in a file of this folder, every master makes so in the cluster."""
MASTER_UNIT, WORKER_UNIT = "k3s.service", "k3s-agent.service"
ALIVE = "pgrep -x k3s-server"
STATE = "/usr/local/lib/keyservices/k3s_state.py"
PODS, SERVICES = "10.42.0.0/16", "10.43.0.0/16"
API_PORT, KUBELET_PORT, VXLAN_PORT = 6443, 10250, 8472
ETCD_PORTS = (2379, 2380)
HTTP_PORT, HTTPS_PORT, PING_PORT = 80, 443, 8082
"""Of the ingress, on the address of every node."""
INGRESS_NODE_PORT = 31695
LABEL = "keyservices.internal"
"""Before the name of a role: the label of nodes that have it."""
NODES = (Role.K3S_MASTER, Role.K3S_WORKER)
FOOTPRINT = Footprint(
    (
        Opening((Role.K3S_MASTER,), (API_PORT,), (*NODES, Role.INSTALLER)),
        Opening((Role.K3S_MASTER,), (ETCD_PORTS,), (Role.K3S_MASTER,)),
        Opening(NODES, (KUBELET_PORT,), NODES),
        Opening(NODES, (VXLAN_PORT,), NODES, "udp"),
        # What pods and services say to the node that they are on.
        Opening(NODES, ((1, 65535),), (PODS, SERVICES)),
        Opening(NODES, (HTTP_PORT, HTTPS_PORT, INGRESS_NODE_PORT), ANYBODY),
        Opening(NODES, (PING_PORT,), (Role.HAPROXY,)),
    ),
    tuple(
        Setting(NODES, key, "1")
        for key in ("net.ipv4.ip_forward", "net.bridge.bridge-nf-call-iptables", "net.ipv6.conf.all.forwarding")
    ),
    (
        Leftover(
            NODES,
            (MASTER_UNIT, WORKER_UNIT),
            (
                *("/etc/rancher", DATA, "/var/lib/kubelet", "/var/lib/cni", "/etc/modules-load.d/keyservices-k3s.conf"),
                *(f"/etc/systemd/system/{unit}" for unit in (MASTER_UNIT, WORKER_UNIT)),
            ),
        ),
    ),
)
KUBECTL = "k3s kubectl"
_ALL_OF_IT = f"{KUBECTL} get nodes,deployments,daemonsets,storageclasses -A -o json"


def nodes_of(inventory: Inventory) -> tuple[Server, ...]:
    """Everybody in the cluster."""
    return inventory.of(*NODES)


def has_k3s(servers: Sequence[Server]) -> Stage:
    """What every module that runs in it needs."""
    how = f"put the program of a release at {PROGRAM} (no package of the distribution brings it)"
    return present("k3s", f"test -x {PROGRAM}", servers, how)


def up(within_s: float, *words: str) -> Check:
    """On a master: what is named is up (see state.py for the words), or else the reason is said."""
    # Into a file first: of a pipe the shell would know the last command's end alone.
    ask = f"said=$(mktemp); trap 'rm -f $said' EXIT; {_ALL_OF_IT} >$said && python3 {STATE} {' '.join(words)} <$said"
    return Check(ask, within_s)


def labelled(servers: Sequence[Server], role: Role) -> tuple[Command, ...]:
    """On a master: these nodes, and no others, are chosen where something runs on nodes of this role."""
    label = f"{LABEL}/{role.value}"
    wanted = " ".join(sorted(one.name for one in servers))
    there = (
        f"{KUBECTL} get nodes -l {label}=yes -o jsonpath='{{.items[*].metadata.name}}' | tr ' ' '\\n' | sort | xargs"
    )
    return (
        Command(
            f"{KUBECTL} label nodes --all {label}- && {KUBECTL} label --overwrite nodes {wanted} {label}=yes",
            f'test "$({there})" = "{wanted}"',
            about=f"label {label} on {wanted}",
        ),
    )


def names(servers: Sequence[Server]) -> tuple[str, ...]:
    """Of nodes, which are called as servers are."""
    return tuple(one.name for one in servers)


def place(server: Server) -> str:
    """Its address as it is before a colon and a port."""
    return f"[{server.address}]" if ":" in server.address else server.address
