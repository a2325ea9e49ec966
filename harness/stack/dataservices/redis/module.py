"""Module 4: three Redis with Sentinels, two HAProxy, and the watcher that is never left out.

redis.conf stays as it is written here and names no master: whoever starts again is told by the Sentinels whom to
follow, and until then takes no writes, since it has no replica (``min-replicas-to-write``). Its folder is not Redis's
to write to, which would else replace the file (CONFIG REWRITE, asked for by every Sentinel): a rerun finds it as it
was. sentinel.conf is the Sentinel's own state: written once, in a folder where it can be replaced.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from ..credentials.core import REDIS, Credentials
from ..inventory.core import Inventory, Role, Server
from ..plan.balancer import BALANCER, haproxy, served
from ..plan.beginning import beginning, each, servers_and_balancers
from ..plan.core import Action, Check, Command, Directory, File, Packages, Plan, Stage, Unit
from ..plan.dying import unmasked
from ..plan.footprint import Footprint, Leftover, Opening, Setting
from ..plan.module import Failover
from ..rehearsal.clients import programs
from ..templates.render import render
from .failover import failover_of
from .places import (
    ASKED,
    MASTER,
    MASTER_BEHIND,
    PORT,
    REDIS_UNIT,
    SENTINEL_ASKED,
    SENTINEL_PORT,
    SENTINEL_UNIT,
    UNITS,
)

DOWN_AFTER_MS, FAILOVER_TIMEOUT_MS = 1000, 10_000
_REDIS_CONF, _SENTINEL_CONF = "/etc/redis/redis.conf", "/var/lib/redis/sentinel.conf"
_SENTINEL_DROP_IN = "/etc/systemd/system/redis-sentinel.service.d/keyservices.conf"
_FOUNDED = "/etc/redis/founded"
_WATCHER = "/usr/local/lib/keyservices/sentinel_watcher.py"
_WATCHER_CONF, _WATCHER_UNIT = "/etc/keyservices/sentinel-watcher.json", "/etc/systemd/system/sentinel-watcher.service"
_FOOTPRINT = Footprint(
    (
        served(PORT),
        # Sentinels ask each other and all Redis, of which any may lead the others.
        Opening((Role.REDIS,), (PORT, SENTINEL_PORT), (Role.REDIS, Role.HAPROXY)),
    ),
    # Or it may not be allowed to fork, and then saves nothing.
    (Setting((Role.REDIS,), "vm.overcommit_memory", "1"),),
    (
        BALANCER,
        Leftover((Role.HAPROXY,), ("sentinel-watcher.service",), (_WATCHER, _WATCHER_CONF, _WATCHER_UNIT)),
        Leftover(
            (Role.REDIS,),
            tuple(reversed(UNITS)),
            ("/etc/redis", _SENTINEL_DROP_IN, "/var/lib/redis"),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class RedisModule:
    """See the module's docstring."""

    number: int = 4
    name: str = "redis"
    title: str = "Redis HA"
    roles: tuple[Role, ...] = (Role.REDIS, Role.HAPROXY)
    credentials: Credentials | None = REDIS
    footprint: Footprint = _FOOTPRINT

    def plan(self, inventory: Inventory, secrets: Mapping[str, str]) -> Plan:
        """Credentials, prepared servers, Redis, Sentinel, HAProxy with its watcher, and that all of it answers."""
        servers, balancers = servers_and_balancers(self, inventory)
        prepared = {**each(servers, _prepared_redis()), **each(balancers, _prepared_balancer())}
        return Plan(
            self.name,
            (
                *beginning(self, inventory, secrets, prepared),
                Stage("redis", {one.name: _redis(one, servers[0], secrets) for one in servers}),
                Stage("sentinel", {one.name: _sentinel(one, servers, secrets) for one in servers}),
                Stage("haproxy and watcher", {one.name: _balancer(servers, secrets) for one in balancers}),
                Stage("validated", {**each(servers, _proof_redis(len(servers))), **each(balancers, _proof_balancer())}),
            ),
        )

    def failover(self, inventory: Inventory) -> Failover | None:
        """Redis and Sentinel of the master's server die at once, while clients of both balancers write."""
        return failover_of(inventory)


def _prepared_redis() -> tuple[Action, ...]:
    return (
        Packages(("redis-server", "redis-sentinel", "procps")),
        Directory("/etc/redis", 0o750, "root:redis"),
        Directory("/var/lib/redis", 0o750, "redis:redis"),
        Directory("/etc/systemd/system/redis-sentinel.service.d"),
        *map(unmasked, UNITS),
    )


def _prepared_balancer() -> tuple[Action, ...]:
    return (
        Packages(("haproxy", "python3", "python3-redis", "redis-tools")),
        *programs("keys"),
        Directory("/etc/keyservices"),
    )


def _redis(server: Server, first: Server, secrets: Mapping[str, str]) -> tuple[Action, ...]:
    conf = render("redis.conf.j2", address=server.address, port=PORT, password=secrets["REDIS_PASSWORD"])
    actions: tuple[Action, ...] = (
        File(_REDIS_CONF, conf, 0o640, "root:redis"),
        Unit(REDIS_UNIT, (_REDIS_CONF,)),
    )
    if server == first:
        return actions
    # Only who was never told anything follows the first one: later it may be the first one that follows.
    known = f"test -e {_FOUNDED} || {{ {ASKED} role | head -n 1 | grep -qx slave; }}"
    return (*actions, Command(f"{ASKED} replicaof {first.address} {PORT}", known))


def _sentinel(server: Server, servers: Sequence[Server], secrets: Mapping[str, str]) -> tuple[Action, ...]:
    conf = render(
        "sentinel.conf.j2",
        address=server.address,
        port=SENTINEL_PORT,
        master=MASTER,
        master_address=servers[0].address,
        master_port=PORT,
        quorum=len(servers) // 2 + 1,
        down_after_ms=DOWN_AFTER_MS,
        failover_timeout_ms=FAILOVER_TIMEOUT_MS,
        redis_password=secrets["REDIS_PASSWORD"],
        sentinel_password=secrets["SENTINEL_PASSWORD"],
    )
    return (
        File(_SENTINEL_CONF, conf, 0o640, "redis:redis", once=True),
        # Before a Sentinel could choose another master: from here on nobody is told any more whom to follow.
        File(_FOUNDED, "", 0o644),
        File(_SENTINEL_DROP_IN, render("redis-sentinel.conf.j2", conf=_SENTINEL_CONF)),
        Unit(SENTINEL_UNIT, (_SENTINEL_DROP_IN,)),
    )


def _balancer(servers: Sequence[Server], secrets: Mapping[str, str]) -> tuple[Action, ...]:
    program = files(__package__).joinpath("watcher.py").read_text(encoding="utf-8")
    settings = render(
        "sentinel-watcher.json.j2",
        master=MASTER,
        sentinels=[f"{one.address}:{SENTINEL_PORT}" for one in servers],
        password=secrets["SENTINEL_PASSWORD"],
    )
    section = render("haproxy-redis.cfg.j2", first=servers[0].address, port=PORT, password=secrets["REDIS_PASSWORD"])
    return (
        *haproxy("redis", section),
        File(_WATCHER, program, 0o755),
        File(_WATCHER_CONF, settings, 0o600),
        File(_WATCHER_UNIT, render("sentinel-watcher.service.j2", program=_WATCHER, settings=_WATCHER_CONF)),
        Unit("sentinel-watcher.service", (_WATCHER, _WATCHER_CONF, _WATCHER_UNIT)),
    )


def _proof_redis(count: int) -> tuple[Action, ...]:
    return (
        Check("redis-cli -h 127.0.0.1 ping 2>&1 | grep -q NOAUTH", 10),
        Check(f"{SENTINEL_ASKED} sentinel ckquorum {MASTER} | grep -q ^OK", 20),
        Check(f"{SENTINEL_ASKED} sentinel sentinels {MASTER} | grep -cx runid | grep -qx {count - 1}", 20),
        Check(f"{SENTINEL_ASKED} sentinel replicas {MASTER} | grep -cx runid | grep -qx {count - 1}", 20),
    )


def _proof_balancer() -> tuple[Action, ...]:
    return (
        Check(MASTER_BEHIND, 20),
        Check("systemctl -q is-active sentinel-watcher.service", 5),
    )
