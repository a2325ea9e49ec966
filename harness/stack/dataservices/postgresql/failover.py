"""The failover that module 3 has to have survived before it is called complete, as a plan. Pure.

Clients of both balancers write, by the writer port and by PgBouncer, and note what was acknowledged. All processes of
the leader die at once: PostgreSQL, Patroni, and its etcd. Another one leads, the writes go on, the lost one follows,
and whatever was acknowledged is on all servers.
"""

from importlib.resources import files

from ..credentials.core import POSTGRESQL
from ..inventory.core import Inventory, Role, Server
from ..plan.core import Action, Ask, Check, Command, File, Plan, Stage
from ..plan.dying import back, killed
from ..plan.module import CREDENTIALS, Failover
from .places import AS_APP, DATABASE, FOLLOWED, LEADS, POOLED_PORT, PORT, USER, WRITER_PORT, asked

ENOUGH = 20
LED_WITHIN_S, WRITTEN_WITHIN_S, FOLLOWS_WITHIN_S = 60, 30, 120
_CLIENT, _NOTES, _UNIT = (
    "/usr/local/lib/keyservices/failover_client.py",
    "/run/keyservices-failover",
    "keyservices-failover",
)
_PORTS = (WRITER_PORT, POOLED_PORT)
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
            Stage("clients write", balancer(*_begin())),
            Stage(f"{leader.name} dies", {leader.name: (killed(_UNITS, _ALIVE),)}),
            Stage("another one leads", balancer(_led_by_another(leader))),
            Stage("writes go on", balancer(*_goes_on())),
            Stage(
                f"{leader.name} follows", {leader.name: (back(_UNITS), Check(asked(FOLLOWED, count), FOLLOWS_WITHIN_S))}
            ),
            Stage("nothing is lost", balancer(*_nothing_lost(servers))),
            Stage("tidied up", {balancers[0].name: (_tidy(),)}),
        ),
    )


def _begin() -> tuple[Action, ...]:
    program = files(__package__).joinpath("failover_client.py").read_text(encoding="utf-8")
    ports = " ".join(map(str, _PORTS))
    secrets = f"{CREDENTIALS}/{POSTGRESQL.file}"
    begin = (
        f"systemctl -q stop {_UNIT}.service 2>/dev/null; rm -rf {_NOTES}; mkdir -m 700 {_NOTES}; "
        f"systemd-run -q --collect --unit {_UNIT} python3 {_CLIENT} write {_NOTES} {secrets} {ports} && "
        f"touch {_NOTES}/begun"
    )
    return (
        File(_CLIENT, program, 0o755),
        # Begun anew whenever this is: what an earlier test left behind was acknowledged to somebody else.
        Command(f"rm -f {_NOTES}/begun", f"! test -e {_NOTES}/begun"),
        Command(begin, f"test -e {_NOTES}/begun && systemctl -q is-active {_UNIT}.service"),
        _acknowledges(WRITTEN_WITHIN_S),
    )


def _acknowledges(within_s: float) -> Check:
    return Check(f"python3 {_CLIENT} acknowledged {_NOTES} {ENOUGH} {' '.join(map(str, _PORTS))}", within_s)


def _led_by_another(leader: Server) -> Check:
    ask = f"select inet_server_addr() <> '{leader.address}' and not pg_is_in_recovery()"
    psql = f"PGCONNECT_TIMEOUT=2 psql -w -XAtq -h 127.0.0.1 -p {WRITER_PORT} -U {USER} -d {DATABASE}"
    return Check(f'{AS_APP}; {psql} -c "{ask}" | grep -qx t', LED_WITHIN_S)


def _goes_on() -> tuple[Action, ...]:
    return (Command(f"touch {_NOTES}/since", f"test -e {_NOTES}/since"), _acknowledges(WRITTEN_WITHIN_S))


def _nothing_lost(servers: tuple[Server, ...]) -> tuple[Action, ...]:
    stop = Command(f"systemctl -q stop {_UNIT}.service", f"! systemctl -q is-active {_UNIT}.service")
    compare = f"python3 {_CLIENT} compare {_NOTES} {CREDENTIALS}/{POSTGRESQL.file}"
    places = " ".join(f"{one.address},{PORT}" for one in servers)
    return (stop, Check(f"{compare} {places}", 30), Ask(f"{compare} {places}"))


def _tidy() -> Command:
    psql = f"{AS_APP}; psql -w -XAtq -h 127.0.0.1 -p {WRITER_PORT} -U {USER} -d {DATABASE}"
    gone = f"{psql} -c \"select to_regclass('keyservices_failover') is null\" | grep -qx t"
    return Command(f"{psql} -c 'drop table if exists keyservices_failover'", gone)
