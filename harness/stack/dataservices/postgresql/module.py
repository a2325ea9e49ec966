"""Module 3: three PostgreSQL under Patroni with an etcd each, two HAProxy, and PgBouncer before them.

What is acknowledged is on two servers (``synchronous_mode_strict``): a leader that nobody follows acknowledges nothing
that could be lost with it. An etcd is asked by its own server's Patroni alone, and so listens to nobody else. Nothing
here says who leads: whoever comes first founds the cluster, and Patroni tells HAProxy from then on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..credentials.core import POSTGRESQL, Credentials
from ..inventory.core import Inventory, Role, Server
from ..plan.balancer import BALANCER, haproxy, served
from ..plan.beginning import beginning, each, servers_and_balancers
from ..plan.core import Action, Check, Command, Directory, File, Packages, Plan, Stage, Unit
from ..plan.dying import unmasked
from ..plan.footprint import Footprint, Leftover, Opening
from ..plan.module import Failover
from ..templates.render import render
from .failover import failover_of
from .places import (
    API_PORT,
    AS_APP,
    DATABASE,
    FOLLOWED,
    HOME,
    PEER_PORT,
    POOLED_PORT,
    PORT,
    READER_PORT,
    USER,
    WRITER_PORT,
    asked,
    place,
    tenants,
)
from .takeover import SCOPE

_ETCD_CONF, _ETCD_UNIT = "/etc/keyservices/etcd.yml", "/etc/systemd/system/etcd.service.d/keyservices.conf"
_PATRONI_CONF, _PATRONI_UNIT = "/etc/patroni/config.yml", "/etc/systemd/system/patroni.service.d/keyservices.conf"
_BOUNCER_INI, _BOUNCER_USERS = "/etc/pgbouncer/pgbouncer.ini", "/etc/pgbouncer/userlist.txt"
_PACKAGES = (
    *("etcd-server", "etcd-client", "patroni", "iproute2", "procps", "python3-etcd", "python3-psycopg2"),
    *("postgresql-17", "postgresql-17-pgvector"),
)
_TOGETHER_WITHIN_S, _SERVED_WITHIN_S = 120, 30
_NO_CLUSTER = "/etc/postgresql-common/createcluster.d/keyservices.conf"
_FOOTPRINT = Footprint(
    (
        served(WRITER_PORT, READER_PORT, POOLED_PORT),
        Opening((Role.POSTGRESQL,), (PORT, API_PORT), (Role.POSTGRESQL, Role.HAPROXY)),
        Opening((Role.POSTGRESQL,), (PEER_PORT,), (Role.POSTGRESQL,)),
    ),
    leftovers=(
        BALANCER,
        Leftover((Role.HAPROXY,), ("pgbouncer.service",), (_BOUNCER_INI, _BOUNCER_USERS)),
        Leftover(
            (Role.POSTGRESQL,),
            ("patroni.service", "etcd.service"),
            (
                *("/etc/patroni", _PATRONI_UNIT, _ETCD_UNIT, _NO_CLUSTER),
                *(HOME, "/var/lib/postgresql/patroni.pgpass", "/var/lib/etcd/keyservices"),
            ),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class PostgresqlModule:
    """See the module's docstring."""

    number: int = 3
    name: str = "postgresql"
    title: str = "PostgreSQL HA"
    roles: tuple[Role, ...] = (Role.POSTGRESQL, Role.HAPROXY)
    credentials: Credentials | None = POSTGRESQL
    footprint: Footprint = _FOOTPRINT

    def plan(self, inventory: Inventory, secrets: Mapping[str, str]) -> Plan:
        """Credentials, prepared servers, etcd, Patroni, HAProxy, PgBouncer, pgvector, and that all of it answers."""
        servers, balancers = servers_and_balancers(self, inventory)
        prepared = {**each(servers, _prepared_server()), **each(balancers, _prepared_balancer())}
        count = len(servers)
        passwords = {name: secrets[variable] for name, variable in tenants(inventory).items()}
        databases = tuple(_database(name, password) for name, password in passwords.items())
        return Plan(
            self.name,
            (
                *beginning(self, inventory, secrets, prepared),
                Stage("etcd", {one.name: _etcd(one, servers) for one in servers}),
                Stage("patroni", {one.name: _patroni(one, servers, secrets, [*passwords]) for one in servers}),
                Stage("database", each(servers, (Check(asked(FOLLOWED, count), _TOGETHER_WITHIN_S), *databases))),
                Stage("haproxy", each(balancers, _haproxy(servers))),
                Stage("pgbouncer", each(balancers, _pgbouncer(passwords))),
                Stage("pgvector", each(servers, (_vector(),))),
                Stage("validated", {**each(servers, _proof_server(count)), **each(balancers, _proof_balancer())}),
            ),
        )

    def failover(self, inventory: Inventory) -> Failover | None:
        """The leader's processes die at once, while clients of both balancers write."""
        return failover_of(inventory)


def _prepared_server() -> tuple[Action, ...]:
    return (
        Directory("/etc/postgresql-common"),
        Directory("/etc/postgresql-common/createcluster.d"),
        # Before PostgreSQL is installed, which would else found a cluster of its own.
        File(_NO_CLUSTER, "create_main_cluster = false\n"),
        Packages(_PACKAGES),
        Directory("/etc/keyservices", 0o755),
        Directory("/etc/systemd/system/etcd.service.d"),
        Directory("/etc/systemd/system/patroni.service.d"),
        Directory("/etc/patroni", 0o750, "root:postgres"),
        Directory(HOME, 0o700, "postgres:postgres"),
        unmasked("etcd.service"),
        unmasked("patroni.service"),
    )


def _prepared_balancer() -> tuple[Action, ...]:
    return (
        Packages(("haproxy", "iproute2", "pgbouncer", "postgresql-client-17", "python3", "python3-psycopg2")),
        Directory("/usr/local/lib/keyservices"),
    )


def _etcd(server: Server, servers: Sequence[Server]) -> tuple[Action, ...]:
    conf = render(
        "etcd.yml.j2",
        name=server.name,
        peer=_peer(server),
        cluster=",".join(f"{one.name}={_peer(one)}" for one in servers),
        scope=SCOPE,
    )
    return (
        File(_ETCD_CONF, conf),
        File(_ETCD_UNIT, render("etcd.conf.j2", conf=_ETCD_CONF)),
        Unit("etcd.service", (_ETCD_CONF, _ETCD_UNIT)),
    )


def _peer(server: Server) -> str:
    return f"http://{place(server)}:{PEER_PORT}"


def _patroni(
    server: Server, servers: Sequence[Server], secrets: Mapping[str, str], databases: Sequence[str]
) -> tuple[Action, ...]:
    addresses = ["127.0.0.1", *(one.address for one in servers)]
    conf = render(
        "patroni.yml.j2",
        scope=SCOPE,
        name=server.name,
        address=server.address,
        place=place(server),
        port=PORT,
        api_port=API_PORT,
        data=f"{HOME}/main",
        programs="/usr/lib/postgresql/17/bin",
        networks=[f"{one}/{128 if ':' in one else 32}" for one in addresses],
        databases=databases,
        api_password=secrets["PATRONI_API_PASSWORD"],
        superuser_password=secrets["POSTGRES_SUPERUSER_PASSWORD"],
        replication_password=secrets["POSTGRES_REPLICATION_PASSWORD"],
        rewind_password=secrets["POSTGRES_REWIND_PASSWORD"],
    )
    return (
        File(_PATRONI_CONF, conf, 0o640, "root:postgres"),
        File(_PATRONI_UNIT, render("patroni.conf.j2", after="etcd.service")),
        Unit("patroni.service", (_PATRONI_CONF, _PATRONI_UNIT)),
    )


def _on_leader(sql: str, so_when: str, database: str = "postgres") -> Command:
    """SQL that the leader is told; the others have it from there. The SQL is nobody else's to read."""
    psql = f"cd / && runuser -u postgres -- psql -XAtq -d {database}"
    done = f'{psql} -c "select pg_is_in_recovery() or ({so_when})" | grep -qx t'
    return Command(f"{psql} -v ON_ERROR_STOP=1 -f -", done, sql)


def _database(name: str, password: str) -> Command:
    """With a user of the same name, whose it is."""
    # A statement that fails would be in the log with the password in it.
    sql = f"""set log_statement = 'none';
set log_min_error_statement = 'panic';
select not exists (select from pg_roles where rolname = '{name}') as fresh \\gset
\\if :fresh
create role {name} login password '{password}';
\\endif
create database {name} owner {name};
"""
    return _on_leader(sql, f"exists (select from pg_database where datname = '{name}')")


def _vector() -> Command:
    return _on_leader(
        "create extension if not exists vector;\n",
        "exists (select from pg_extension where extname = 'vector')",
        DATABASE,
    )


def _haproxy(servers: Sequence[Server]) -> tuple[Action, ...]:
    section = render(
        "haproxy-postgresql.cfg.j2",
        servers=[f"{one.name} {place(one)}:{PORT}" for one in servers],
        api_port=API_PORT,
        writer_port=WRITER_PORT,
        reader_port=READER_PORT,
    )
    return haproxy("postgresql", section)


def _pgbouncer(passwords: Mapping[str, str]) -> tuple[Action, ...]:
    settings = render(
        "pgbouncer.ini.j2",
        database=DATABASE,
        others=[name for name in passwords if name != DATABASE],
        users=_BOUNCER_USERS,
        port=POOLED_PORT,
        writer_port=WRITER_PORT,
        reader_port=READER_PORT,
    )
    # The password itself: with anything less it could not log in to the servers.
    users = "".join(f'"{name}" "{password}"\n' for name, password in passwords.items())
    return (
        File(_BOUNCER_INI, settings, 0o640, "postgres:postgres"),
        File(_BOUNCER_USERS, users, 0o640, "postgres:postgres"),
        Unit("pgbouncer.service", (_BOUNCER_INI, _BOUNCER_USERS)),
    )


def _proof_server(count: int) -> tuple[Action, ...]:
    nobody = f"psql -w -XAtq 'host=127.0.0.1 user={USER} dbname={DATABASE}' -c 'select 1' 2>&1 | grep -q password"
    near = asked("select round(('[1,2]'::vector <-> '[4,6]'::vector)::numeric) = 5", database=DATABASE)
    return (Check(asked(FOLLOWED, count), _SERVED_WITHIN_S), Check(nobody, 5), Check(near, 10))


def _proof_balancer() -> tuple[Action, ...]:
    def says(port: int, database: str, follows: str) -> Check:
        ask = f"psql -w -XAtq -h 127.0.0.1 -p {port} -U {USER} -d {database} -c 'select pg_is_in_recovery()'"
        return Check(f"{AS_APP}; {ask} | grep -qx {follows}", _SERVED_WITHIN_S)

    return (
        says(WRITER_PORT, DATABASE, "f"),
        says(READER_PORT, DATABASE, "t"),
        says(POOLED_PORT, DATABASE, "f"),
        says(POOLED_PORT, f"{DATABASE}_reader", "t"),
    )
