"""Module 5: three RabbitMQ in one cluster whose queues are quorum queues, and two HAProxy.

What is confirmed to a publisher is on the disks of a majority. Whoever declares a queue and names no type gets such a
one. A server that sees no majority pauses: it drops its clients, and their balancer takes them elsewhere.

Each server is told of all, and founds nothing before all have been seen: so they have to begin at once, and none can
found a second cluster of its own later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..credentials.core import RABBITMQ, Credentials
from ..inventory.core import Inventory, Role, Server
from ..plan.balancer import BALANCER, haproxy, served
from ..plan.beginning import beginning, each, servers_and_balancers
from ..plan.core import Action, Check, Command, Directory, File, Packages, Plan, Stage, Unit
from ..plan.dying import unmasked
from ..plan.footprint import Footprint, Leftover, Opening
from ..plan.module import Failover, ModuleImpossible
from ..rehearsal.clients import programs
from ..templates.render import render
from .failover import failover_of
from .places import ADMIN, CLIENT, PORT, SECRETS, UNIT, USER, VHOST, all_run, held_by, node, queue_of

NET_TICKTIME_S = 5
"""A server that went silent is taken for gone after three to five quarters of that (60 s unless it is said)."""
_CONF, _ENV = "/etc/rabbitmq/rabbitmq.conf", "/etc/rabbitmq/rabbitmq-env.conf"
_DROP_IN = "/etc/systemd/system/rabbitmq-server.service.d/keyservices.conf"
_COOKIE = "/var/lib/rabbitmq/.erlang.cookie"
_TOGETHER_WITHIN_S, _SERVED_WITHIN_S = 60, 30
_NAMES_PORT, _NODES_PORT = 4369, 25672
"""Of Erlang: where a server's nodes are asked for (epmd), and where they talk to each other."""
_ASKING_PORTS = (35672, 35682)
"""Of whoever asks: rabbitmqctl is a node for as long as it runs, and all servers answer it themselves."""
_FOOTPRINT = Footprint(
    (
        served(PORT),
        Opening((Role.RABBITMQ,), (PORT,), (Role.HAPROXY,)),
        Opening((Role.RABBITMQ,), (_NAMES_PORT, _NODES_PORT, _ASKING_PORTS), (Role.RABBITMQ,)),
    ),
    leftovers=(
        BALANCER,
        # The package's own folder stays: it is not made again as long as the package is there.
        Leftover((Role.RABBITMQ,), (UNIT,), (_CONF, _ENV, _DROP_IN, "/var/lib/rabbitmq")),
    ),
)


@dataclass(frozen=True, slots=True)
class RabbitmqModule:
    """See the module's docstring."""

    number: int = 5
    name: str = "rabbitmq"
    title: str = "RabbitMQ HA"
    roles: tuple[Role, ...] = (Role.RABBITMQ, Role.HAPROXY)
    credentials: Credentials | None = RABBITMQ
    footprint: Footprint = _FOOTPRINT

    def plan(self, inventory: Inventory, secrets: Mapping[str, str]) -> Plan:
        """Credentials, prepared servers, the cluster, users, HAProxy, and that all of it answers."""
        servers, balancers = servers_and_balancers(self, inventory)
        prepared = {**each(servers, _prepared_server()), **each(balancers, _prepared_balancer())}
        if strange := [one.name for one in servers if ":" in one.address]:
            raise ModuleImpossible(f"{', '.join(strange)}: RabbitMQ is installed with addresses of version 4 alone")
        queues = tuple(queue_of(one) for one in balancers)
        whole = Check(held_by(len(servers), *queues), _SERVED_WITHIN_S)
        return Plan(
            self.name,
            (
                *beginning(self, inventory, secrets, prepared),
                Stage("cluster", {one.name: _joined(one, servers, secrets) for one in servers}),
                Stage("application", {servers[0].name: (_vhost(), _admin(secrets), _app(secrets), _no_guest())}),
                Stage("haproxy", each(balancers, haproxy("rabbitmq", _section(servers)))),
                Stage("validated", {one.name: _proof_balancer(queue_of(one)) for one in balancers}),
                Stage("quorum queues", each(servers, (_refuses_guest(), whole))),
            ),
        )

    def failover(self, inventory: Inventory) -> Failover | None:
        """The server that leads a queue dies at once, while clients of both balancers publish."""
        return failover_of(inventory)


def _prepared_server() -> tuple[Action, ...]:
    return (
        Directory("/etc/systemd/system/rabbitmq-server.service.d"),
        # Before it is installed: it would else be started at once, with a cookie and a cluster of its own.
        File(_DROP_IN, render("rabbitmq-server.conf.j2", conf=_CONF)),
        Packages(("rabbitmq-server", "procps")),
        Directory("/var/lib/rabbitmq", 0o750, "rabbitmq:rabbitmq"),
        unmasked(UNIT),
    )


def _prepared_balancer() -> tuple[Action, ...]:
    return (Packages(("haproxy", "python3", "python3-aio-pika")), *programs("messages"))


def _joined(server: Server, servers: tuple[Server, ...], secrets: Mapping[str, str]) -> tuple[Action, ...]:
    nodes = [node(one) for one in servers]
    conf = render("rabbitmq.conf.j2", address=server.address, port=PORT, nodes=nodes, net_ticktime_s=NET_TICKTIME_S)
    return (
        # Without an end of line: whoever reads it may take that for a part of it.
        File(_COOKIE, secrets["RABBITMQ_ERLANG_COOKIE"], 0o400, "rabbitmq:rabbitmq"),
        File(_ENV, render("rabbitmq-env.conf.j2", node=node(server))),
        File(_CONF, conf),
        Unit(UNIT, (_COOKIE, _ENV, _CONF, _DROP_IN)),
        Check(all_run(servers), _TOGETHER_WITHIN_S),
    )


def _vhost() -> Command:
    type_of = f"{VHOST} --default-queue-type quorum"
    return Command(
        f"rabbitmqctl -q add_vhost {type_of}; rabbitmqctl -q update_vhost_metadata {type_of}",
        f"rabbitmqctl -q list_vhosts --no-table-headers name default_queue_type"
        f" | grep -qxF \"$(printf '%s\\tquorum' {VHOST})\"",
    )


def _user(name: str, variable: str, secrets: Mapping[str, str], then: str, so_when: str) -> Command:
    """A user with this password, and what he may. It is read from standard input, here and by rabbitmqctl.

    That counts its words to know whether it may read: with an option it would wait for ever.
    """
    known = f". {SECRETS}; printf '%s\\n' \"${variable}\" | rabbitmqctl authenticate_user {name} && {so_when}"
    # Who is there with another password gets this one.
    made = f"""IFS= read -r secret
told() {{ printf '%s\\n' "$secret" | rabbitmqctl "$1" {name}; }}
told add_user || told change_password
{then}"""
    return Command(made, known, f"{secrets[variable]}\n", about=f"user {name}")


def _admin(secrets: Mapping[str, str]) -> Command:
    tagged = f"rabbitmqctl -q list_users --no-table-headers | grep -q '^{ADMIN}[[:space:]]*\\[administrator\\]'"
    tag = f"rabbitmqctl -q set_user_tags {ADMIN} administrator"
    return _user(ADMIN, "RABBITMQ_ADMIN_PASSWORD", secrets, tag, tagged)


def _app(secrets: Mapping[str, str]) -> Command:
    may = f"rabbitmqctl -q set_permissions -p {VHOST} {USER} '.*' '.*' '.*'"
    listed = f"rabbitmqctl -q list_permissions -p {VHOST} --no-table-headers"
    all_of_it = f"{listed} | grep -qxF \"$(printf '%s\\t.*\\t.*\\t.*' {USER})\""
    return _user(USER, "RABBITMQ_APP_PASSWORD", secrets, may, all_of_it)


def _no_guest() -> Command:
    known = "rabbitmqctl -q list_users --no-table-headers | grep -q '^guest[[:space:]]'"
    return Command("rabbitmqctl -q delete_user guest", f"! {{ {known}; }}")


def _section(servers: Sequence[Server]) -> str:
    return render("haproxy-rabbitmq.cfg.j2", servers=[f"{one.name} {one.address}:{PORT}" for one in servers], port=PORT)


def _proof_balancer(queue: str) -> tuple[Action, ...]:
    return (Check(f"{CLIENT} through {SECRETS} {queue}", _SERVED_WITHIN_S),)


def _refuses_guest() -> Check:
    return Check("! printf 'guest\\n' | rabbitmqctl authenticate_user guest", 5)
