"""``config.yml``: every key has a default, so that an empty mapping is a working machine."""

import ipaddress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, cast, get_args

from ...kit.settings import ConfigError, Section, compose
from ..copies.copies import CopiesSettings
from ..health.core import Rhythm, Rules
from ..inventory.entries import endpoint_of
from ..network.core import NETWORK, SITE_PREFIX
from ..network.hub import HubSettings
from ..placement.core import Rules as PlacementRules
from ..placement.heard import Pace, Patience
from ..routing.core import IDEMPOTENT, Layout

SHORTEST_SECRET = 32
Tls = Literal["none", "internal", "automatic"]
EXAMPLE = """\
# The settings of `multisite serve`. All of them may be left out; these are the defaults.
state: /var/lib/multisite          # what must survive a restart
run: /run/multisite                # what need not: verdicts, the edge's socket
database: sqlite:////var/lib/multisite/inventory.db    # or postgresql://USER:PASSWORD@HOST/NAME
api: 127.0.0.1:8000                # where the API listens
edge:
  listen: ":443"                   # where Caddy listens for everybody
  tls: automatic                   # automatic (a public authority), internal (Caddy's own), none
  admin: unix//run/multisite/caddy.sock
  verdict_site: 127.0.0.1:2020     # Caddy asks for verdicts here,
  oracle: 127.0.0.1:9900           # and passes the question on to us
  try_again: GET HEAD              # methods that may be asked of another backend when one has failed meanwhile
  validate: true                   # a new configuration is tried by `caddy validate` first
health:
  interval_ms: 1000                # from 100
  timeout_ms: 2000                 # from 50
  fall: 2                          # silent looks in a row until a backend is down
  rise: 2                          # good looks in a row until it is up again
  lease_ms: 10000                  # a verdict that no look renews is worth nothing after that
  at_once: 200                     # backends that are asked at the same time
placement:
  silent_ms: 5000                  # a machine that has not reported for so long is lost, and what it ran goes elsewhere
  lease_ms: 8000                   # an exclusive container ends when its machine could not report for so long,
  margin_ms: 2000                  # and begins elsewhere so much later
  drain_ms: 5000                   # for what is under way in a container that is to leave
  patience_ms: 30000               # a container that has not answered well by then does not work
wireguard:
  endpoint: ""                     # HOST:PORT where machines of sites reach this one; with it there are tunnels, and
  interface: multisite0            # this machine is their hub (it needs CAP_NET_ADMIN, wg, and WireGuard in the kernel
  network: 10.200.0.0/16           # or wireguard-go); a site has a subnet of it, 10.200.N.0/24
  rotate_days: 30                  # a key is replaced when it is so old; 0: only by `multisite rotate`
# copies:                          # several machines that keep the inventory together, each in a file of its own; leave
#   name: edge1                    # it out where there is one. This one's name; who has the address leads, and takes
#   address: 192.0.2.100           # changes: have it moved by what you trust never to have it on two (sfha, for one)
#   key_file: /etc/multisite/copies.key    # the same secret on all of them
#   edges: {edge1: "http://10.0.0.1:8000", edge2: "http://10.0.0.2:8000"}    # the API of each, where the others reach
#   witnesses: {witness: "http://10.0.0.3:8000"}    # it: certificates go that way, so let it be a tunnel. Witnesses
#                                  # keep a copy and are no edge: a majority of all has to have what is changed
"""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a daemon has to be told."""

    state: Path
    database: str
    api: tuple[str, int]
    layout: Layout
    oracle: tuple[str, int]
    rules: Rules
    rhythm: Rhythm
    validate: bool
    pace: Pace
    hub: HubSettings | None
    copies: CopiesSettings | None

    @property
    def verdicts(self) -> Path:
        """The folder of the files that the edge goes by when nobody answers it."""
        return Path(self.layout.verdict_folder)

    @property
    def last_good(self) -> Path:
        """The configuration that the edge took last: it starts from this."""
        return self.state / "edge.json"


def load(path: Path) -> Settings:
    """Read the file. Raises ConfigError, in one line that names file, line and key."""
    top = compose(path)
    edge, health, placement, wireguard = map(top.section, ("edge", "health", "placement", "wireguard"))
    state, run = Path(top.text("state", "/var/lib/multisite")), Path(top.text("run", "/run/multisite"))
    oracle = _address(edge, "oracle", "127.0.0.1:9900")
    hub, copies = _hub(wireguard, state), _copies(top, state, _tls(edge))
    settings = Settings(
        state=state,
        database=top.text("database", f"sqlite:///{state}/inventory.db"),
        api=_address(top, "api", "127.0.0.1:8000"),
        layout=Layout(
            admin=edge.text("admin", f"unix/{run}/caddy.sock"),
            listen=(edge.text("listen", ":443"),),
            verdict_site=_text(_address(edge, "verdict_site", "127.0.0.1:2020")),
            oracle=_text(oracle),
            verdict_folder=str(run / "verdicts"),
            storage=str(state / "caddy"),
            tls=_tls(edge),
            try_again=_methods(edge),
        ),
        oracle=oracle,
        rules=Rules(
            fall=health.number("fall", 2, 1, 100),
            rise=health.number("rise", 2, 1, 100),
            lease_s=health.number("lease_ms", 10_000, 500, 3_600_000) / 1000,
        ),
        rhythm=Rhythm(
            interval_s=health.number("interval_ms", 1000, 100, 3_600_000) / 1000,
            timeout_s=health.number("timeout_ms", 2000, 50, 60_000) / 1000,
            at_once=health.number("at_once", 200, 1, 10_000),
        ),
        validate=edge.flag("validate", True),
        pace=_pace(placement),
        hub=hub if hub is None or copies is None else replace(hub, place=copies.place),
        copies=copies,
    )
    for section in (top, edge, health, placement, wireguard):
        section.done()
    longest_s = settings.rhythm.interval_s + settings.rhythm.timeout_s
    if settings.rules.lease_s <= longest_s:
        raise health.wrong("lease_ms", f"must be more than interval_ms and timeout_ms together ({longest_s * 1000:g})")
    return settings


def _pace(placement: Section) -> Pace:
    return Pace(
        PlacementRules(
            drain_s=placement.number("drain_ms", 5000, 0, 3_600_000) / 1000,
            patience_s=placement.number("patience_ms", 30_000, 1000, 3_600_000) / 1000,
        ),
        Patience(
            silent_s=placement.number("silent_ms", 5000, 1000, 3_600_000) / 1000,
            lease_s=placement.number("lease_ms", 8000, 1000, 3_600_000) / 1000,
            margin_s=placement.number("margin_ms", 2000, 500, 3_600_000) / 1000,
        ),
    )


def _hub(wireguard: Section, state: Path) -> HubSettings | None:
    interface, network = wireguard.text("interface", "multisite0"), wireguard.text("network", NETWORK)
    rotate_s = wireguard.number("rotate_days", 30, 0, 3650) * 86_400
    try:
        whole = ipaddress.IPv4Network(network)
    except ValueError as error:
        raise wireguard.wrong("network", str(error)) from error
    if whole.prefixlen >= SITE_PREFIX:
        raise wireguard.wrong("network", f"has no room for subnets of sites, which are /{SITE_PREFIX}")
    if not wireguard.text("endpoint", ""):
        return None
    host, port = _address(wireguard, "endpoint", "")
    return HubSettings(_text((host, port)), interface, port, network, rotate_s, state / "wireguard.json")


def _copies(top: Section, state: Path, tls: Tls) -> CopiesSettings | None:
    if "copies" not in top.names():
        return None
    given = top.section("copies")
    if not top.text("database", "sqlite:").startswith("sqlite:"):
        raise top.wrong("copies", "each machine has a database of its own, a file of SQLite; this one names another")
    edges, witnesses = _urls(given.section("edges")), _urls(given.section("witnesses"))
    if twice := sorted(set(edges) & set(witnesses)):
        raise given.wrong("witnesses", f"{twice[0]} is an edge already")
    name = given.text("name")
    if name not in {**edges, **witnesses}:
        raise given.wrong("name", f"{name} is none of: {', '.join((*edges, *witnesses)) or 'nobody'}")
    address = given.text("address")
    try:
        ipaddress.ip_address(address)
    except ValueError as error:
        raise given.wrong("address", str(error)) from error
    settings = CopiesSettings(
        name=name,
        address=address,
        key=_secret(given, "key_file"),
        edges=edges,
        witnesses=witnesses,
        sent=state / "copies.sent",
        storage=state / "caddy",
        tls=tls,
    )
    given.done()
    return settings


def _urls(section: Section) -> dict[str, str]:
    found = {name: section.text(name) for name in section.names()}
    for name, url in found.items():
        if not url.startswith(("http://", "https://")):
            raise section.wrong(name, f"must be the URL of an API, such as http://10.0.0.1:8000, not {url!r}")
    return found


def _secret(section: Section, key: str) -> str:
    path = Path(section.text(key))
    try:
        found = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise section.wrong(key, f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if len(found) < SHORTEST_SECRET:
        raise section.wrong(key, f"{path} must hold a secret of {SHORTEST_SECRET} characters at least")
    return found


def _address(section: Section, key: str, default: str) -> tuple[str, int]:
    given = section.text(key, default)
    try:
        host, _, port = endpoint_of(given).rpartition(":")
    except ValueError as error:
        raise section.wrong(key, str(error)) from error
    return host.strip("[]"), int(port)


def _text(address: tuple[str, int]) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _tls(edge: Section) -> Tls:
    given = edge.text("tls", "automatic")
    if given not in get_args(Tls):
        raise edge.wrong("tls", f"must be one of {', '.join(get_args(Tls))}, not {given!r}")
    return cast(Tls, given)


def _methods(edge: Section) -> tuple[str, ...]:
    given = edge.text("try_again", " ".join(IDEMPOTENT)).split()
    if not given:
        raise edge.wrong("try_again", "must name at least one method: Caddy tries GET again whatever it is told")
    for one in given:
        if not (one.isascii() and one.isalpha() and one.isupper()):
            raise edge.wrong("try_again", f"must be methods of HTTP, such as GET, in capital letters, not {one!r}")
    return tuple(given)


__all__ = ["EXAMPLE", "ConfigError", "Settings", "load"]
