"""Module 11: n8n in queue mode on the nodes of a K3s that have the role.

Workers and the processes that take webhooks are on every such node. The main process, which has the timers, is one: two
of them would each start what is due. So that is a Deployment, which K3s starts elsewhere when its node is lost.

Each node has a HAProxy of its own for the way to PgBouncer and Redis, since n8n can be told one address alone, and a
balancer may die.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..apps.places import place
from ..credentials.core import N8N, POSTGRESQL, Credentials
from ..inventory.core import Inventory, Role, Server
from ..k3s.module import INGRESS_CLASS
from ..k3s.places import LABEL, MANIFESTS, has_k3s, labelled, names, nodes_of, up
from ..plan.balancer import haproxy
from ..plan.beginning import beginning, each
from ..plan.core import Action, Check, Directory, File, Packages, Plan, Stage
from ..plan.footprint import Footprint
from ..plan.module import CREDENTIALS, Failover, ModuleImpossible, check_roles
from ..plan.needs import present
from ..postgresql.places import N8N as DATABASE
from ..postgresql.places import POOLED_PORT
from ..redis.places import PORT as REDIS
from ..rehearsal.clients import programs as rehearsal
from ..templates.render import render
from .failover import failover_of
from .places import (
    FOOTPRINT,
    IMAGE,
    MAIN_PORT,
    NAMESPACE,
    POSTGRESQL_PORT,
    REDIS_PORT,
    WEBHOOK_PORT,
    WORKER_PORT,
    host,
)
from .serving import main_answers, others_answer

_UP_WITHIN_S, _REACHED_WITHIN_S = 300, 30


@dataclass(frozen=True, slots=True)
class N8nModule:
    """See the module's docstring."""

    number: int = 11
    name: str = "n8n"
    title: str = "n8n"
    roles: tuple[Role, ...] = (Role.N8N, Role.K3S_MASTER, Role.HAPROXY, Role.POSTGRESQL, Role.REDIS)
    credentials: Credentials | None = N8N
    footprint: Footprint = FOOTPRINT

    def plan(self, inventory: Inventory, secrets: Mapping[str, str]) -> Plan:
        """Credentials, the way to PostgreSQL and Redis, deployed, its ingress, and that all of it answers."""
        check_roles(self, inventory)
        servers, masters, balancers = inventory.of(Role.N8N), inventory.of(Role.K3S_MASTER), inventory.of(Role.HAPROXY)
        if outside := [one.name for one in servers if one not in nodes_of(inventory)]:
            raise ModuleImpossible(f"{', '.join(outside)}: n8n runs on nodes of K3s alone")
        packages = Packages(("haproxy", "iproute2", "procps", "python3"))
        deployed = _manifest(_deployment(inventory, secrets), "n8n")
        ingress = _manifest(
            render("k3s-n8n-ingress.yaml.j2", within=NAMESPACE, ingress_class=INGRESS_CLASS, host=host(inventory)),
            "n8n-ingress",
        )
        validated = {**each(servers, others_answer(_REACHED_WITHIN_S)), **each(balancers, _proof_balancer(inventory))}
        return Plan(
            self.name,
            (
                *beginning(self, inventory, secrets, each((*servers, *balancers), (packages, *rehearsal("visits")))),
                Stage("database", each(balancers, (_database(),))),
                Stage("way to the balancers", each(servers, haproxy("n8n", _section(balancers)))),
                Stage("nodes", {masters[0].name: labelled(servers, Role.N8N)}),
                Stage("deploy", each(masters, deployed)),
                Stage("running", each(masters, _running(servers))),
                Stage("ingress", each(masters, ingress)),
                Stage("validated", validated),
            ),
            needs=(has_k3s(nodes_of(inventory)), _has_image(servers)),
        )

    def failover(self, inventory: Inventory) -> Failover | None:
        """The node of the main process dies."""
        return failover_of(inventory)


def _has_image(servers: Sequence[Server]) -> Stage:
    # At most it is fetched now, which K3s would do later.
    test = f"k3s crictl inspecti -q {IMAGE} || k3s crictl pull {IMAGE}"
    return present(
        f"image {IMAGE}", test, servers, "import it (k3s ctr images import), or let the nodes reach its registry"
    )


def _database() -> Check:
    """Module 3 made it. By PgBouncer, as n8n comes."""
    as_n8n = f". {CREDENTIALS}/{POSTGRESQL.file}; export PGPASSWORD=$POSTGRES_N8N_PASSWORD"
    psql = f"psql -w -XAtq -h 127.0.0.1 -p {POOLED_PORT} -U {DATABASE} -d {DATABASE}"
    return Check(f"{as_n8n}; {psql} -c 'select not pg_is_in_recovery()' | grep -qx t", _REACHED_WITHIN_S)


def _section(balancers: Sequence[Server]) -> str:
    ways = (("postgresql", POSTGRESQL_PORT, POOLED_PORT), ("redis", REDIS_PORT, REDIS))
    return "\n".join(
        render(
            "haproxy-n8n.cfg.j2",
            name=name,
            port=here,
            servers=[f"{one.name} {place(one, there)}" for one in balancers],
        )
        for name, here, there in ways
    )


def _deployment(inventory: Inventory, secrets: Mapping[str, str]) -> str:
    environment = {
        "EXECUTIONS_MODE": "queue",
        "DB_TYPE": "postgresdb",
        "DB_POSTGRESDB_HOST": "127.0.0.1",
        "DB_POSTGRESDB_PORT": str(POSTGRESQL_PORT),
        "DB_POSTGRESDB_DATABASE": DATABASE,
        "DB_POSTGRESDB_USER": DATABASE,
        "QUEUE_BULL_REDIS_HOST": "127.0.0.1",
        "QUEUE_BULL_REDIS_PORT": str(REDIS_PORT),
        "QUEUE_HEALTH_CHECK_ACTIVE": "true",
        # The main process leaves webhooks to those that are there for them.
        "N8N_DISABLE_PRODUCTION_MAIN_PROCESS": "true",
        "N8N_HOST": host(inventory),
        "WEBHOOK_URL": f"http://{host(inventory)}/",
        # Balancer and ingress.
        "N8N_PROXY_HOPS": "2",
        "N8N_SECURE_COOKIE": "false",
    }
    hidden = {
        "DB_POSTGRESDB_PASSWORD": secrets["POSTGRES_N8N_PASSWORD"],
        "QUEUE_BULL_REDIS_PASSWORD": secrets["REDIS_PASSWORD"],
        "N8N_ENCRYPTION_KEY": secrets["N8N_ENCRYPTION_KEY"],
    }
    shared = render("k3s-n8n.yaml.j2", within=NAMESPACE, environment=environment, hidden=hidden)
    digest = hashlib.sha256(repr(sorted({**environment, **hidden}.items())).encode()).hexdigest()
    processes = (
        ("main", "Deployment", MAIN_PORT),
        ("webhook", "DaemonSet", WEBHOOK_PORT),
        ("worker", "DaemonSet", WORKER_PORT),
    )
    return "".join((shared, *(_process(name, kind, port, digest) for name, kind, port in processes)))


def _process(name: str, kind: str, port: int, digest: str) -> str:
    return render(
        "k3s-n8n-process.yaml.j2",
        within=NAMESPACE,
        image=IMAGE,
        label=f"{LABEL}/{Role.N8N.value}",
        digest_key=f"{LABEL}/digest",
        digest=digest,
        name=name,
        kind=kind,
        words=[] if name == "main" else [name],
        port=port,
        broker_port=port + 1,
    )


def _manifest(text: str, name: str) -> tuple[Action, ...]:
    return Directory(MANIFESTS, 0o700), File(f"{MANIFESTS}/keyservices-{name}.yaml", text, 0o600)


def _running(servers: Sequence[Server]) -> tuple[Action, ...]:
    each_node = (up(_UP_WITHIN_S, "daemonset", f"{NAMESPACE}/{one}", *names(servers)) for one in ("worker", "webhook"))
    return up(_UP_WITHIN_S, "deployment", f"{NAMESPACE}/main", "1"), *each_node


def _proof_balancer(inventory: Inventory) -> tuple[Action, ...]:
    return _database(), main_answers(inventory, _REACHED_WITHIN_S)
