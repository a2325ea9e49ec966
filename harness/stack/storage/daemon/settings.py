"""The settings of the daemon: a file of YAML, of which everything has a default."""

import ipaddress
import socket
from dataclasses import dataclass
from pathlib import Path

import yaml

from ...kit.settings import Section, compose
from ..autonomy.core import Level
from ..snapshots import taking
from ..tiering import looking
from . import care
from .core.alerts import SEVERITIES, Route, Severity
from .tls import Tls

DEFAULT_PORT = 8411
LOG_RECEIVER = "log"
KEY_FILE = Path("/etc/mfs-autonomy/cluster.key")
MOST_PEERS = 32


@dataclass(frozen=True, slots=True)
class Failover:
    """The master of MooseFS that this host may take the place of."""

    address: str
    folder: Path = Path("/var/lib/mfs")
    config: Path = Path("/etc/mfs/mfsmaster.cfg")
    every_s: int = 1
    misses: int = 3


@dataclass(frozen=True, slots=True)
class Peer:
    """Another host of the cluster."""

    name: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Cluster:
    """Whom this host tells what it has, and of whom it hears it."""

    name: str
    host: str
    port: int
    key_file: Path
    peers: tuple[Peer, ...]
    shared: tuple[str, ...] = ()
    every_s: int = 2


@dataclass(frozen=True, slots=True)
class Settings:
    """All of them."""

    level: Level = Level.READ_ONLY
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    every_s: int = 10
    grpc: tuple[str, int] | None = None
    tls: Tls | None = None
    """Of both."""
    failover: Failover | None = None
    cluster: Cluster | None = None
    tiering: looking.Wanted | None = None
    snapshots: taking.Wanted | None = None
    routes: tuple[Route, ...] = (Route(LOG_RECEIVER, least="warning", after_s=20),)


def load(path: Path, *, must_be_there: bool = False) -> Settings:
    """From the file; the defaults where there is none. Raises ConfigError."""
    if not path.exists() and not must_be_there:
        return Settings()
    top = compose(path)
    api, alerts = top.section("api"), top.section("alerts")
    host, port = _address(api, f"127.0.0.1:{DEFAULT_PORT}")
    rpc = top.section("grpc") if "grpc" in top.names() else None
    tls = _tls(top.section("tls")) if "tls" in top.names() else None
    failover = _failover(top.section("failover")) if "failover" in top.names() else None
    cluster = _cluster(top.section("cluster")) if "cluster" in top.names() else None
    tiering = care.tiering(top.section("tiering")) if "tiering" in top.names() else None
    snapshots = care.snapshots(top.section("snapshots")) if "snapshots" in top.names() else None
    routes = tuple(_route(one) for one in alerts.sections("routes"))
    settings = Settings(
        level=Level(top.number("level", 1, 1, 5)),
        host=host,
        port=port,
        every_s=top.number("every_s", 10, 1, 3600),
        grpc=_address(rpc, "") if rpc else None,
        tls=tls,
        failover=failover,
        cluster=cluster,
        tiering=tiering,
        snapshots=snapshots,
        routes=routes or Settings().routes,
    )
    for section in (top, api, alerts, *([rpc] if rpc else [])):
        section.done()
    return settings


def _tls(one: Section) -> Tls:
    clients = one.text("clients", "")
    found = Tls(Path(one.text("certificate")), Path(one.text("key")), Path(clients) if clients else None)
    one.done()
    return found


def _failover(one: Section) -> Failover:
    found = Failover(
        address=one.text("address"),
        folder=Path(one.text("metalogger", "/var/lib/mfs")),
        config=Path(one.text("config", "/etc/mfs/mfsmaster.cfg")),
        every_s=one.number("every_s", 1, 1, 3),
        misses=one.number("misses", 3, 2, 60),
    )
    try:
        ipaddress.ip_address(found.address)
    except ValueError:
        raise one.wrong("address", f"must be an IP address, not {found.address}") from None
    one.done()
    return found


def _cluster(one: Section) -> Cluster:
    host, port = _address(one, "")
    name = one.text("name", socket.gethostname())
    peers = tuple(_peer(each) for each in one.sections("peers"))
    names = [name, *(each.name for each in peers)]
    if len(set(names)) < len(names):
        raise one.wrong("peers", f"each host once, and this one ({name}) not: {', '.join(names[1:])}")
    if len(peers) > MOST_PEERS:
        raise one.wrong("peers", f"must be {MOST_PEERS} at most, not {len(peers)}")
    shared = _texts(one, "shared")
    if odd := [folder for folder in shared if not folder.startswith("/")]:
        raise one.wrong("shared", f"must be absolute, not {odd[0]}")
    found = Cluster(
        name=name,
        host=host,
        port=port,
        key_file=Path(one.text("key_file", str(KEY_FILE))),
        peers=peers,
        shared=shared,
        every_s=one.number("every_s", 2, 1, 60),
    )
    one.done()
    return found


def _texts(one: Section, key: str) -> tuple[str, ...]:
    node = one.take(key)
    if node is None:
        return ()
    rows = node.value if isinstance(node, yaml.SequenceNode) else [node]
    if not all(isinstance(row, yaml.ScalarNode) for row in rows):
        raise one.wrong(key, "must be a list of texts")
    return tuple(str(row.value) for row in rows)


def _peer(one: Section) -> Peer:
    host, port = _address(one, "", "address")
    found = Peer(one.text("name"), host, port)
    one.done()
    return found


def _address(api: Section, default: str, key: str = "listen") -> tuple[str, int]:
    given = api.text(key, default or None)
    host, _, port = given.rpartition(":")
    if not host or not port.isdigit() or not 0 <= int(port) < 1 << 16:
        raise api.wrong(key, f"must be ADDRESS:PORT, such as 127.0.0.1:{DEFAULT_PORT}, not {given}")
    return host.strip("[]"), int(port)


def _route(one: Section) -> Route:
    to = one.text("to")
    if to != LOG_RECEIVER and not to.startswith(("http://", "https://")):
        raise one.wrong("to", f"must be {LOG_RECEIVER}, or an address that begins with http:// or https://, not {to}")
    route = Route(
        to=to,
        name=one.text("name", "*"),
        subject=one.text("subject", "*"),
        least=_severity(one),
        after_s=one.number("after_s", 20, 0, 86400),
        again_s=one.number("again_s", 14400, 60, 7 * 86400),
    )
    one.done()
    return route


def _severity(one: Section) -> Severity:
    given = one.text("least", "warning")
    for known in SEVERITIES:
        if known == given:
            return known
    raise one.wrong("least", f"must be one of {', '.join(SEVERITIES)}, not {given}")
