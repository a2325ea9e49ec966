"""The stores that are measured: how their servers are told apart, and what their software would do by itself."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from harness.checks.durability import LEDGER
from harness.subjects.dataservices import galera, postgresql, queues, redis
from harness.subjects.dataservices.servers import SERVERS, Servers
from harness.subjects.dataservices.subject import COMMAND, GALERA, POSTGRESQL, RABBITMQ, SECRETS
from harness.wait import until

QUEUE = "orders"
ANOTHER_WITHIN_S = 150.0


@dataclass(frozen=True, slots=True)
class Store:
    """A module of keyservices. ``stock`` is a shell script for each of its servers, one after the other."""

    subject: str
    role: str
    leader: Callable[[Servers], Awaitable[str]]
    another: Callable[[Servers, str], Awaitable[object]]
    """Returns once another one than this leads. Clients alone do not tell: who is cut off may go on to answer them."""
    whole: Callable[[Servers], Awaitable[None]]
    stock: str
    image: str = ""
    key: str = LEDGER


async def _replicas_follow(servers: Servers) -> None:
    leading = await redis.master(servers)
    for one in SERVERS:
        if one != leading:
            await redis.follows(servers, one)


async def _written_elsewhere(servers: Servers, lost: str) -> None:
    async def so() -> bool:
        try:
            return await galera.writer(servers) != lost
        except AssertionError:  # so far nobody is
            return False

    await until(so, within_s=ANOTHER_WITHIN_S, every_s=0.5, what=f"another one than {lost} is written to")


def _but(lost: str) -> tuple[str, ...]:
    return tuple(one for one in SERVERS if one != lost)


STOCK_POSTGRESQL = """
patronictl -c /etc/patroni/config.yml edit-config --force -s ttl=30 -s loop_wait=10 -s retry_timeout=10 \\
    -s synchronous_mode=false -s synchronous_mode_strict=false -s primary_start_timeout=300
"""
STOCK_REDIS = f"""
set -e
. {SECRETS}
sed -i 's/^min-replicas-to-write .*/min-replicas-to-write 0/; s/^appendfsync .*/appendfsync everysec/' \\
    /etc/redis/redis.conf
export REDISCLI_AUTH=$REDIS_PASSWORD
redis-cli --no-auth-warning config set min-replicas-to-write 0 appendfsync everysec | grep -qx OK
export REDISCLI_AUTH=$SENTINEL_PASSWORD
redis-cli --no-auth-warning -p 26379 sentinel set main down-after-milliseconds 30000 failover-timeout 180000 |
    grep -qx OK
"""
STOCK_RABBITMQ = """
set -e
sed -i 's/^net_ticktime = .*/net_ticktime = 60/' /etc/rabbitmq/rabbitmq.conf
systemctl restart rabbitmq-server
rabbitmqctl -q await_online_nodes 3 --timeout 60
"""
STOCK_GALERA = """
set -e
conf=$(grep -rl evs.suspect_timeout /etc/mysql)
sed -i 's/evs.suspect_timeout=PT1S/evs.suspect_timeout=PT5S/' $conf
sed -i 's/evs.inactive_timeout=PT2S/evs.inactive_timeout=PT15S/' $conf
systemctl restart mariadb
state="show status like 'wsrep_local_state_comment'"
for _ in $(seq 120); do mariadb -NBe "$state" | grep -q Synced && exit 0; sleep 0.5; done
exit 1
"""
STORES: Mapping[str, Store] = {
    "PostgreSQL": Store(
        POSTGRESQL,
        "postgresql",
        postgresql.leader,
        lambda servers, lost: postgresql.led_by_one_of(servers, _but(lost), ANOTHER_WITHIN_S),
        postgresql.all_follow,
        STOCK_POSTGRESQL,
        image="services-postgresql",
    ),
    "Redis": Store(
        COMMAND,
        "redis",
        redis.master,
        lambda servers, lost: redis.master(servers, _but(lost), ANOTHER_WITHIN_S),
        _replicas_follow,
        STOCK_REDIS,
    ),
    "RabbitMQ": Store(
        RABBITMQ,
        "rabbitmq",
        lambda servers: queues.leader(servers, QUEUE),
        lambda servers, lost: queues.leader(servers, QUEUE, but=lost, within_s=ANOTHER_WITHIN_S),
        lambda servers: queues.all_are_members(servers, QUEUE),
        STOCK_RABBITMQ,
        key=QUEUE,
    ),
    "Galera": Store(
        GALERA,
        "galera",
        galera.writer,
        _written_elsewhere,
        galera.in_step,
        STOCK_GALERA,
        image="services-galera",
    ),
}
STOCK_BALANCER = """
sed -i -E 's/inter [0-9]+ms fall [0-9] rise [0-9]/inter 2s fall 3 rise 2/' /etc/haproxy/services.d/*.cfg
systemctl restart haproxy
"""
