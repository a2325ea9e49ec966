"""The failover that module 3 has to have survived before it is called complete, as a plan. Pure.

Clients of both balancers write, by the writer port and by PgBouncer, and note what was acknowledged. All processes of
the leader die at once: PostgreSQL, Patroni, and its etcd. Another one leads, the writes go on, the lost one follows,
and whatever was acknowledged is on all servers.
"""

from ..credentials.core import POSTGRESQL
from ..inventory.core import Inventory, Role, Server
from ..plan.core import Action, Ask, Check, Command, Plan, Stage
from ..plan.dying import back, killed
from ..plan.module import CREDENTIALS, Failover
from ..rehearsal.clients import Clients, program, programs
from .places import AS_APP, DATABASE, FOLLOWED, LEADS, POOLED_PORT, PORT, USER, WRITER_PORT, asked

LED_WITHIN_S, FOLLOWS_WITHIN_S = 60, 120
_CLIENTS = Clients(
    "keyservices-failover",
    program("rows", "postgresql"),
    f"{CREDENTIALS}/{POSTGRESQL.file}",
    tuple(f"127.0.0.1,{port}" for port in (WRITER_PORT, POOLED_PORT)),
)
_UNITS = ("etcd.service", "patroni.service")
_ALIVE = "pgrep -u postgres,etcd -x 'postgres|patroni|etcd'"


def failover_of(inventory: Inventory) -> Failover:
    """Who may lead, how that is told, and what is done to whoever does."""
    servers = inventory.of(Role.POSTGRESQL)
    return Failover(servers, asked(LEADS), lambda leader: _plan(inventory, leader))


def _plan(inventory: Inventory, leader: Server) -> Plan:
    servers, balancers = inventory.of(Role.POSTGRESQL), inventory.of(Role.HAPROXY)
    count = len(servers)

    def balancer(*actions: Action) -> dict[str, tuple[Action, ...]]:
        return {one.name: actions for one in balancers}

    return Plan(
        "postgresql failover",
        (
            Stage("all follow", {one.name: (Check(asked(FOLLOWED, count), FOLLOWS_WITHIN_S),) for one in servers}),
            Stage("clients write", balancer(*programs("rows"), *_CLIENTS.begin())),
            Stage(f"{leader.name} dies", {leader.name: (killed(_UNITS, _ALIVE),)}),
            Stage("another one leads", balancer(_led_by_another(leader))),
            Stage("writes go on", balancer(*_CLIENTS.go_on())),
            Stage(
                f"{leader.name} follows", {leader.name: (back(_UNITS), Check(asked(FOLLOWED, count), FOLLOWS_WITHIN_S))}
            ),
            Stage("nothing is lost", balancer(*_nothing_lost(servers))),
            Stage("tidied up", {balancers[0].name: (_tidy(),)}),
        ),
    )


def _led_by_another(leader: Server) -> Check:
    ask = f"select inet_server_addr() <> '{leader.address}' and not pg_is_in_recovery()"
    psql = f"PGCONNECT_TIMEOUT=2 psql -w -XAtq -h 127.0.0.1 -p {WRITER_PORT} -U {USER} -d {DATABASE}"
    return Check(f'{AS_APP}; {psql} -c "{ask}" | grep -qx t', LED_WITHIN_S)


def _nothing_lost(servers: tuple[Server, ...]) -> tuple[Action, ...]:
    places = " ".join(f"{one.address},{PORT}" for one in servers)
    compare = f"{_CLIENTS.program} compare {_CLIENTS.notes} {_CLIENTS.secrets} {places}"
    return (_CLIENTS.end(), Check(compare, 30), Ask(compare))


def _tidy() -> Command:
    psql = f"{AS_APP}; psql -w -XAtq -h 127.0.0.1 -p {WRITER_PORT} -U {USER} -d {DATABASE}"
    gone = f"{psql} -c \"select to_regclass('keyservices_failover') is null\" | grep -qx t"
    return Command(f"{psql} -c 'drop table if exists keyservices_failover'", gone)
