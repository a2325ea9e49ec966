"""multisite as its users have it: edge and platform on one node, by its command line, with its defaults but for speed.

What it balances is a subject of its own, :class:`Web`: no part of what is under test, and what says who was served.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.addresses import AddressPlan
from harness.checks.expected import Expected
from harness.conditions import Condition
from harness.engines.engine import NodeFile
from harness.events import Event, Json, Served
from harness.images.program_layer import ensure_program_layer
from harness.subjects.boot import starts_at_boot
from harness.subjects.multisite.caddy import ensure_caddy_layer
from harness.subjects.multisite.client import MODELS, HttpClient
from harness.subjects.subject import Subject, known_model
from harness.topology import Topology
from harness.workloads.client import Client
from harness.workloads.load import Load, ModelName, Route

COMMAND, UNDECLARED, WEB = "multisite", "multisite-undeclared", "web-backends"
DOMAIN = "api.example.test"
"""Of the service that is declared."""
EDGE = "edge"
"""What the topology "platform" calls its first node, which the platform runs on; all others are machines of sites."""
EDGE_PORT, EDGE_TLS_PORT, WEB_PORT = 80, 443, 8080
DATABASE = "/var/lib/multisite/inventory.db"
DECLARED, TOKEN = "/root/site.yml", "/root/token"
_DECLARES = (
    f"[ ! -e {DECLARED}.done ] || exec sleep infinity",
    f"until [ -s {TOKEN} ] || {COMMAND} token create owner --role admin > {TOKEN}; do sleep 0.2; done",
    f"until {COMMAND} apply {DECLARED} --token-file {TOKEN}; do sleep 0.2; done",
    f"touch {DECLARED}.done",
)
CONFIG, LOG = "/etc/multisite/config.yml", "/var/log/web.jsonl"
WEB_SERVER = "web_server.py"
"""What its processes are called by."""
_WEB_SERVER = f"/usr/lib/harness-web/{WEB_SERVER}"


def edge_of(topology: Topology) -> str:
    """The node that the platform runs on, or the first of them."""
    return topology.node_names[0]


def machines_of(topology: Topology) -> tuple[str, ...]:
    """The machines of sites: those without a vote, where some have none; else all but the edge."""
    without = tuple(one.name for one in topology.nodes if not one.votes)
    return without or topology.node_names[1:]


def public_address(topology: Topology, plan: AddressPlan) -> str:
    """Where visitors come: the virtual address, where there is one."""
    return plan.vip(topology.vips[0].name) if topology.vips else plan.address(edge_of(topology))


def visits(
    topology: Topology,
    plan: AddressPlan,
    rate_per_s: float,
    timeout_s: float,
    *,
    seed: int = 0,
    weights: Mapping[str, float] | None = None,
    store: str = WEB,
) -> Load:
    """What visitors of the service ask, through the edge; ``store`` is the subject that answers them."""
    return Load(
        model=MODELS[0],
        key=DOMAIN,
        store=store,
        routes=(Route(address=public_address(topology, plan), port=EDGE_PORT),),
        rate_per_s=rate_per_s,
        timeout_s=timeout_s,
        seed=seed,
        weights=weights or {},
    )


def entry(address: str, site: str, service: str = "api") -> dict[str, Json]:
    """What the platform is told of a machine's web server."""
    return {"service": service, "site": site, "addr": address, "port": WEB_PORT, "health": "/health"}


@dataclass(frozen=True, slots=True)
class Multisite(Subject):
    """The platform, and a service on every machine of every site, declared at its first boot."""

    name = COMMAND
    image = "platform"
    standing: Sequence[Expected] = ()
    first_look = f"{COMMAND} status --token-file {TOKEN}"

    interval_ms: int = 100
    timeout_ms: int = 200
    tls: str = "none"
    """Who signs for the edge: "internal" is its own authority, and has it listen on EDGE_TLS_PORT."""
    tries_again: str = "GET HEAD"
    """Methods of requests that may have reached a backend that failed, and that are asked of another one then."""

    def layers(self, image: Path) -> Sequence[Path]:
        """The program, and Caddy, which no Debian has in a version that will do."""
        return (ensure_program_layer(image, COMMAND), ensure_caddy_layer())

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """Settings, and what starts the two processes."""
        if node != edge_of(topology):
            return ()
        port = EDGE_PORT if self.tls == "none" else EDGE_TLS_PORT
        config = (
            f'edge: {{listen: ":{port}", tls: {self.tls}, try_again: "{self.tries_again}"}}\n'
            f"health: {{interval_ms: {self.interval_ms}, timeout_ms: {self.timeout_ms}}}\n"
        )
        return (
            NodeFile(CONFIG, config.encode()),
            starts_at_boot(30, "multisite-edge", "export HOME=/root", f"{COMMAND} edge"),
            starts_at_boot(40, COMMAND, f"{COMMAND} serve"),
            *self._declaration(topology, plan),
        )

    def _declaration(self, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """What its owner would do once, by its command line."""
        machines = [node for node in topology.nodes if node.name != edge_of(topology)]
        wanted = {
            "sites": [{"name": site} for site in sorted({node.site for node in machines})],
            "services": [{"name": "api", "domains": [DOMAIN]}],
            "backends": [entry(plan.address(node.name), node.site) for node in machines],
        }
        # JSON is YAML.
        return (
            NodeFile(DECLARED, json.dumps(wanted, indent=1).encode()),
            starts_at_boot(50, "multisite-declare", *_DECLARES, "sleep infinity"),
        )

    def settled(self, topology: Topology, plan: AddressPlan, up: tuple[str, ...]) -> Sequence[Condition]:
        """Nothing to wait for: whoever declares backends waits for them."""
        return ()


@dataclass(frozen=True, slots=True)
class UndeclaredMultisite(Multisite):
    """The platform has no backends until somebody declares them."""

    name = UNDECLARED

    def _declaration(self, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        return ()


@dataclass(frozen=True, slots=True)
class Web(Subject):
    """A web server on every machine of a site; its clients are visitors of the edge."""

    name = WEB
    image = "platform"
    service_port = EDGE_PORT
    models = MODELS
    standing: Sequence[Expected] = ()
    log_path = LOG

    def files(self, node: str, topology: Topology, plan: AddressPlan) -> Sequence[NodeFile]:
        """The server and what starts it."""
        if node not in machines_of(topology):
            return ()
        program = Path(__file__).with_name(WEB_SERVER).read_bytes()
        return (
            NodeFile(_WEB_SERVER, program),
            starts_at_boot(40, self.name, f"python3 {_WEB_SERVER} {WEB_PORT} {LOG}"),
        )

    def settled(self, topology: Topology, plan: AddressPlan, up: tuple[str, ...]) -> Sequence[Condition]:
        """Nothing to wait for."""
        return ()

    def client(self, model: ModelName, route: Route) -> Client:
        """A visitor."""
        known_model(self, model)
        return HttpClient(route)

    def said(self, node: str, t_s: float, event: str, fields: dict[str, object]) -> Event:
        """A note of a server is a request that was begun, or answered. Raises what a torn line raises."""
        return Served(
            t_s=t_s,
            node=node,
            request=int(str(fields["request"])),
            method=str(fields["method"]),
            answered=bool(fields["answered"]),
        )
