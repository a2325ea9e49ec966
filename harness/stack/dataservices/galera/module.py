"""Module 7: three MariaDB with Galera, and two HAProxy with a port for writers and one for readers.

Who begins the cluster is decided by what every node has (founding.py), on the first day as after a night without power.
A node waits for no other one's answer when it starts again after a crash: it finds out how far it came, joins, and gets
what it lacks. A setting that changed is taken up by one node at a time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from ..credentials.core import GALERA, Credentials
from ..inventory.core import Inventory, Role, Server
from ..plan.balancer import BALANCER, haproxy, served
from ..plan.beginning import beginning, each, servers_and_balancers
from ..plan.core import Action, Check, Command, Directory, File, Packages, Plan, Stage, Unit
from ..plan.dying import unmasked
from ..plan.footprint import Footprint, Leftover, Opening
from ..plan.module import Failover
from ..templates.render import render
from .failover import failover_of
from .founding import founding
from .places import (
    CALL,
    CHECK,
    DATA,
    DATABASE,
    HEALTH_PORT,
    PORT,
    READER_PORT,
    SOCKET,
    STATE,
    TRANSFER,
    UNIT,
    USER,
    WRITER_PORT,
    asked,
    by_balancer,
    in_step,
    place,
)

_CONF = "/etc/mysql/mariadb.conf.d/90-keyservices.cnf"
_UNIT_CONF = "/etc/systemd/system/mariadb.service.d/keyservices.conf"
_HEALTH = "/usr/local/lib/keyservices/galera_health.py"
_HEALTH_CONF, _HEALTH_UNIT = "/etc/keyservices/galera-health.json", "/etc/systemd/system/galera-health.service"
_PACKAGES = (
    *("mariadb-server", "mariadb-backup", "galera-4", "socat", "iproute2", "procps"),
    *("python3", "python3-pymysql"),
)
# Where galera_new_cluster says that the next start begins a cluster.
_BEGINS = "/run/mariadb-wsrep-new-cluster"
_NOT_AGAIN = "have no later start begin a cluster"
PROVIDER_OPTIONS = (
    "evs.suspect_timeout=PT1S",
    "evs.inactive_timeout=PT2S",
    "evs.install_timeout=PT2S",
    "evs.keepalive_period=PT0.2S",
    "evs.inactive_check_period=PT0.2S",
    "evs.join_retrans_period=PT0.3S",
    "gmcast.peer_timeout=PT1S",
    "gmcast.time_wait=PT1S",
    "pc.recovery=TRUE",
)
"""A node is held for dead after a second of silence; Galera's own settings take five times as long."""
_SERVED_WITHIN_S, _SYNCED_WITHIN_S = 30, 60
_GROUP_PORT, _STEPS_PORT, _COPY_PORT = 4567, 4568, 4444
"""Of Galera: nodes talk to each other, send what one has missed, and copy all that one has."""
_FOOTPRINT = Footprint(
    (
        served(WRITER_PORT, READER_PORT),
        # Each node looks after the others in its failover test.
        Opening((Role.GALERA,), (PORT,), (Role.HAPROXY, Role.GALERA)),
        Opening((Role.GALERA,), (HEALTH_PORT,), (Role.HAPROXY,)),
        Opening((Role.GALERA,), (_GROUP_PORT, _STEPS_PORT, _COPY_PORT), (Role.GALERA,)),
    ),
    leftovers=(
        BALANCER,
        Leftover(
            (Role.GALERA,),
            ("galera-health.service", UNIT),
            (_CONF, _UNIT_CONF, _HEALTH, _HEALTH_CONF, _HEALTH_UNIT, _BEGINS, DATA),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class GaleraModule:
    """See the module's docstring."""

    number: int = 7
    name: str = "galera"
    title: str = "MariaDB Galera"
    roles: tuple[Role, ...] = (Role.GALERA, Role.HAPROXY)
    credentials: Credentials | None = GALERA
    footprint: Footprint = _FOOTPRINT

    def plan(self, inventory: Inventory, secrets: Mapping[str, str]) -> Plan:
        """Credentials, prepared servers, the cluster, its settings, HAProxy, and that all of it answers."""
        servers, balancers = servers_and_balancers(self, inventory)
        prepared = {one.name: _prepared(one, servers, secrets) for one in servers}
        return Plan(
            self.name,
            (
                *beginning(self, inventory, secrets, {**prepared, **each(balancers, _prepared_balancer())}),
                founding(servers, _accounts(secrets)),
                *(Stage(f"settings of {one.name}", {one.name: (_up_to_date(),)}) for one in servers),
                Stage("health", {one.name: _health(one, secrets) for one in servers}),
                Stage("load balancer", each(balancers, _haproxy(servers))),
                Stage("validated", {one.name: _proof(one, len(servers), balancers) for one in servers}),
            ),
        )

    def failover(self, inventory: Inventory) -> Failover | None:
        """The node that is written to dies, while clients write through both balancers."""
        return failover_of(inventory)


def _prepared(server: Server, servers: Sequence[Server], secrets: Mapping[str, str]) -> tuple[Action, ...]:
    conf = render(
        "galera.cnf.j2",
        data=DATA,
        address=server.address,
        port=PORT,
        socket=SOCKET,
        members=[place(one) for one in servers],
        name=server.name,
        place=place(server),
        transfer=TRANSFER,
        transfer_password=secrets["MARIADB_TRANSFER_PASSWORD"],
        options=PROVIDER_OPTIONS,
    )
    state = files(__package__).joinpath("state.py").read_text(encoding="utf-8")
    return (
        Directory("/etc/systemd/system/mariadb.service.d"),
        # Before MariaDB is installed, which would else be started as a database of its own.
        File(_UNIT_CONF, render("galera-unit.conf.j2", conf=_CONF)),
        Packages(_PACKAGES),
        Directory("/etc/keyservices", 0o755),
        Directory("/usr/local/lib/keyservices"),
        Directory(DATA, 0o700, "mysql:mysql"),
        File(STATE, state, 0o755),
        # A failover test, or a beginning, that was killed may have left these.
        unmasked(UNIT),
        Command(f"rm -f {_BEGINS}", f"! test -e {_BEGINS}", about=_NOT_AGAIN),
        File(_CONF, conf, 0o640, "root:mysql"),
    )


def _prepared_balancer() -> tuple[Action, ...]:
    return (Packages(("haproxy", "iproute2")),)


def _accounts(secrets: Mapping[str, str]) -> Command:
    """The application's user comes with its database, last: when that is there, all of it is."""
    sql = f"""create or replace user '{TRANSFER}'@'localhost' identified by '{secrets["MARIADB_TRANSFER_PASSWORD"]}';
grant reload, process, lock tables, binlog monitor on *.* to '{TRANSFER}'@'localhost';
create or replace user '{CHECK}'@'localhost' identified by '{secrets["MARIADB_CHECK_PASSWORD"]}';
create or replace user '{USER}'@'%' identified by '{secrets["MARIADB_APP_PASSWORD"]}';
grant all on {DATABASE}.* to '{USER}'@'%';
create database {DATABASE};
"""
    there = f"select count(*) from information_schema.schemata where schema_name = '{DATABASE}'"
    return Command(CALL, asked(there), sql, about="make the accounts and the database")


def _up_to_date() -> Command:
    started = f"systemctl show --timestamp=unix -P ExecMainStartTimestamp {UNIT} | tr -d @"
    wait = f"for _ in $(seq {_SYNCED_WITHIN_S * 2}); do {in_step()} && break; sleep 0.5; done"
    newer = f'[ "$(stat -c %Y {_CONF} {_UNIT_CONF} | sort -n | tail -n 1)" -le "$({started})" ]'
    restart = f"systemctl daemon-reload; systemctl restart {UNIT}; {wait}"
    return Command(
        restart, f"systemctl -q is-enabled {UNIT} && {newer} && {in_step()}", about=f"{UNIT} has its settings"
    )


def _health(server: Server, secrets: Mapping[str, str]) -> tuple[Action, ...]:
    program = files(__package__).joinpath("health.py").read_text(encoding="utf-8")
    settings = render(
        "galera-health.json.j2",
        address=server.address,
        port=HEALTH_PORT,
        socket=SOCKET,
        user=CHECK,
        password=secrets["MARIADB_CHECK_PASSWORD"],
    )
    return (
        File(_HEALTH, program, 0o755),
        File(_HEALTH_CONF, settings, 0o600),
        File(_HEALTH_UNIT, render("galera-health.service.j2", program=_HEALTH, settings=_HEALTH_CONF)),
        Unit("galera-health.service", (_HEALTH, _HEALTH_CONF, _HEALTH_UNIT)),
    )


def _haproxy(servers: Sequence[Server]) -> tuple[Action, ...]:
    section = render(
        "haproxy-galera.cfg.j2",
        servers=[f"{one.name} {place(one)}:{PORT}" for one in servers],
        writer_port=WRITER_PORT,
        reader_port=READER_PORT,
        health_port=HEALTH_PORT,
    )
    return haproxy("galera", section)


def _proof(server: Server, count: int, balancers: Sequence[Server]) -> tuple[Action, ...]:
    nobody = (
        f"mariadb -h {server.address} -P {PORT} -u {USER} --skip-password -e 'select 1' 2>&1 | grep -q 'Access denied'"
    )
    return (
        Check(in_step(count), _SERVED_WITHIN_S),
        Check(nobody, 5),
        *(Check(by_balancer(one, port), _SERVED_WITHIN_S) for one in balancers for port in (WRITER_PORT, READER_PORT)),
    )
