"""Facts about a node in, findings out. Pure.

A finding is *wrong* where the node cannot do its part like this, *doubtful* where it may not when it matters, and
*unknown* where it could not be looked at.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import Literal

from ...kit.messages import Message, message
from ..config.load import Vip
from ..config.networks import Taken, free_network, overlapping, vip_inside
from ..membership.ownership import Survey, objection
from ..membership.taking_up import complaint
from ..mesh.core import Condition
from ..reluctance.core import LEAST_FREE_BYTES

Severity = Literal["wrong", "doubtful", "unknown", "well"]
EGRESS_SINCE, ARP_SILENT, REVERSE_PATH_STRICT = (5, 16), 8, 1
OLDEST_YEAR = 2024
BRIDGE = "bridge"
HANDSHAKE_RECENT_S = 180.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found, what it is about ("ports", "names" ...), and a sentence that says what to do."""

    severity: Severity
    about: str
    what: Message


@dataclass(frozen=True, slots=True)
class Port:
    """A UDP port that this node needs: who may have it, and who has (None: nobody)."""

    number: int
    purpose: Message
    rightly: frozenset[str]
    holder: str | None = None
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """An interface that virtual addresses are to be on; ``settings`` are its sysctls that could be read."""

    name: str
    there: bool = False
    up: bool = False
    carrier: bool = False
    bridge: bool = False
    settings: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """A directory that is written to: what is free in it, and why it cannot be written to ("" where it can)."""

    path: str
    free_bytes: int
    refuses: str = ""


@dataclass(frozen=True, slots=True)
class Tunnel:
    """The mesh as mesh.json has it, and its interface as it is. ``silent`` are peers without a recent handshake."""

    interface: str
    address: str
    network: IPv4Network
    condition: Condition
    silent: tuple[str, ...] = ()
    handshakes_known: bool = False
    walled: bool | None = None
    """Whether what comes beside it is dropped; None where that was not found out."""


@dataclass(frozen=True, slots=True)
class Daemon:
    """The daemon: its process, and what it said of the cluster (None where it does not answer)."""

    process_id: int | None = None
    status: dict[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Kernel:
    """What the kernel and the installed programs can do."""

    release: tuple[int, int]
    wireguard: bool
    tun: bool
    missing: tuple[str, ...] = ()
    """Programs and libraries that are not installed."""
    guards: str | None = "netdev"
    """The family of nftables that can guard addresses ("": none can); None where that was not found out."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that was found out; None where there is none, or where it could not be read (then it is in ``unread``)."""

    kernel: Kernel
    corosync: Survey
    corosync_said: str = ""
    member: bool = False
    unread: tuple[str, ...] = ()
    mistakes: tuple[Message, ...] = ()
    """What is wrong with the configuration files."""
    tunnel: Tunnel | None = None
    daemon: Daemon = Daemon()
    ports: tuple[Port, ...] = ()
    links: tuple[Link, ...] = ()
    vips: tuple[Vip, ...] = ()
    unresolved: tuple[tuple[str, str], ...] = ()
    """Endpoints of peers whose name has no address, each with the reason."""
    taken: tuple[Taken, ...] = ()
    places: tuple[Place, ...] = ()
    year: int = OLDEST_YEAR
    synchronised: bool = True


def examine(facts: Facts) -> list[Finding]:
    """Everything that is wrong, doubtful or unknown; a last finding where nothing is."""
    found = [
        finding
        for part in (_files, _kernel, _corosync, _mesh, _ports, _names, _links, _places, _clock, _daemon, _peers)
        for finding in part(facts)
    ]
    if not any(one.severity in ("wrong", "doubtful") for one in found):
        found.append(Finding("well", "all", message("doctor.well" if facts.member else "doctor.no-cluster")))
    return found


def is_well(findings: list[Finding]) -> bool:
    """Whether nothing is wrong."""
    return not any(one.severity == "wrong" for one in findings)


def _files(facts: Facts) -> Iterator[Finding]:
    for path in facts.unread:
        yield Finding("unknown", "files", message("doctor.unread", path=path))
    for mistake in facts.mistakes:
        yield Finding("wrong", "files", mistake)


def _kernel(facts: Facts) -> Iterator[Finding]:
    kernel = facts.kernel
    for name in kernel.missing:
        yield Finding("wrong", "kernel", message("doctor.missing", name=name))
    there = facts.tunnel is not None and facts.tunnel.condition.there
    if not (kernel.wireguard or kernel.tun or there):
        yield Finding("wrong", "kernel", message("doctor.no-wireguard"))
    if kernel.guards == "":
        yield Finding("wrong", "kernel", message("doctor.no-gate"))
    if kernel.release < EGRESS_SINCE and kernel.guards != BRIDGE:
        release = ".".join(map(str, kernel.release))
        yield Finding("doubtful", "kernel", message("doctor.no-egress", release=release))


def _corosync(facts: Facts) -> Iterator[Finding]:
    found = facts.corosync
    if not facts.member:
        why = objection(found)
        if why is not None:
            yield Finding("wrong", "corosync", why)
        return
    described = found.read_described if found.process_id is not None else found.described
    if described is not None and (described.foreign or (found.process_id is not None and not found.ours_runs)):
        path, names = str(found.read_file or found.file), ", ".join(described.nodes) or "-"
        about = message("run.foreign-corosync", path=path, cluster=described.cluster or "?", names=names)
        yield Finding("wrong", "corosync", about)
    elif found.process_id is None and facts.corosync_said:
        yield Finding("wrong", "corosync", message("doctor.corosync-died", why=facts.corosync_said))
    elif found.process_id is None:
        yield Finding("wrong", "corosync", message("doctor.corosync-off"))
    else:
        behind = complaint((facts.daemon.status or {}).get("corosync_behind"))
        if behind is not None:
            yield Finding("wrong", "corosync", behind)


def _mesh(facts: Facts) -> Iterator[Finding]:
    tunnel = facts.tunnel
    if tunnel is None:
        return
    if not tunnel.condition.there:
        yield Finding("wrong", "mesh", message("doctor.tunnel-gone", interface=tunnel.interface))
    elif not tunnel.condition.serves(tunnel.address):
        key = "mesh.addressless" if tunnel.condition.up else "mesh.lies-down"
        yield Finding("wrong", "mesh", message(key, interface=tunnel.interface, address=tunnel.address))
    if tunnel.walled is False and facts.daemon.status is not None:
        yield Finding("doubtful", "mesh", message("doctor.no-wall", network=str(tunnel.network)))
    other = overlapping(tunnel.network, facts.taken)
    if other is not None:
        free = free_network(facts.taken, [vip.address for vip in facts.vips]) or "-"
        about = {"network": str(tunnel.network), "taken": str(other.network), "free": str(free)}
        yield Finding("wrong", "mesh", message("doctor.shared-network", interface=other.interface, **about))
    inside = vip_inside(tunnel.network, facts.vips)
    if inside is not None:
        about = {"address": inside.address, "network": str(tunnel.network)}
        yield Finding("wrong", "mesh", message("resources.vip-in-mesh", name=inside.name, **about))


def _ports(facts: Facts) -> Iterator[Finding]:
    for port in facts.ports:
        if port.holder is not None and port.holder not in port.rightly:
            severity: Severity = "unknown" if port.holder == "?" else "wrong"
            about = {"port": port.number, "purpose": port.purpose, "holder": port.shown or port.holder}
            yield Finding(severity, "ports", message("doctor.port-taken", **about))


def _names(facts: Facts) -> Iterator[Finding]:
    for endpoint, reason in facts.unresolved:
        yield Finding("wrong", "names", message("doctor.unresolved", endpoint=endpoint, reason=reason))


def _links(facts: Facts) -> Iterator[Finding]:
    for link in facts.links:
        vips = ", ".join(vip.name for vip in facts.vips if vip.interface == link.name)
        key = "" if link.up and link.carrier else "link-dead" if link.up else "link-down" if link.there else "link-gone"
        if key:
            yield Finding("wrong", "interfaces", message(f"doctor.{key}", interface=link.name, vips=vips))
        if link.there and not link.bridge and facts.kernel.guards == BRIDGE:
            yield Finding("wrong", "interfaces", message("doctor.no-bridge", interface=link.name, vips=vips))
        yield from _settings(link, vips)


def _settings(link: Link, vips: str) -> Iterator[Finding]:
    settings, about = link.settings, {"interface": link.name, "vips": vips}
    if settings.get("promote_secondaries") == 0:
        yield Finding("doubtful", "sysctls", message("doctor.promote", **about))
    if settings.get("arp_ignore") == ARP_SILENT:
        yield Finding("wrong", "sysctls", message("doctor.arp-ignore", **about))
    if settings.get("rp_filter") == REVERSE_PATH_STRICT and settings.get("default_route_elsewhere"):
        yield Finding("doubtful", "sysctls", message("doctor.rp-filter", **about))
    if link.bridge and settings.get("bridge_nf"):
        yield Finding("doubtful", "sysctls", message("doctor.bridge-nf", **about))


def _places(facts: Facts) -> Iterator[Finding]:
    for place in facts.places:
        if place.refuses:
            yield Finding("wrong", "disk", message("doctor.unwritable", path=place.path, reason=place.refuses))
        elif place.free_bytes < LEAST_FREE_BYTES:
            free_mb = round(place.free_bytes / 1e6, 1)
            yield Finding("wrong", "disk", message("doctor.full", path=place.path, free_mb=free_mb))


def _clock(facts: Facts) -> Iterator[Finding]:
    if facts.year < OLDEST_YEAR:
        yield Finding("wrong", "clock", message("doctor.clock-wrong", year=facts.year))
    elif not facts.synchronised:
        yield Finding("doubtful", "clock", message("doctor.clock-free"))


def _daemon(facts: Facts) -> Iterator[Finding]:
    daemon = facts.daemon
    if not facts.member or daemon.status is not None:
        return
    if daemon.process_id is None:
        yield Finding("wrong", "daemon", message("doctor.daemon-off"))
    elif "control.sock" in "".join(facts.unread):
        return
    else:
        yield Finding("wrong", "daemon", message("doctor.daemon-hangs", pid=daemon.process_id))


def _peers(facts: Facts) -> Iterator[Finding]:
    status = facts.daemon.status or {}
    nodes, own = status.get("nodes"), status.get("node")
    for node in nodes if isinstance(nodes, list) else []:
        if isinstance(node, dict) and node.get("name") != own and not node.get("sfhaRunning"):
            key = "status.warn.daemon-dead" if node.get("online") else "doctor.peer-offline"
            yield Finding("wrong", "peers", message(key, name=node.get("name")))
    if status and not status.get("quorate"):
        yield Finding("wrong", "peers", message("status.warn.no-quorum"))
    vips = status.get("vips")
    for vip in vips if isinstance(vips, list) else []:
        if isinstance(vip, dict) and vip.get("error"):
            about = {"name": vip.get("name"), "error": vip.get("error")}
            yield Finding("wrong", "interfaces", message("doctor.vip-error", **about))
    tunnel = facts.tunnel
    if tunnel is not None and tunnel.handshakes_known and tunnel.condition.serves(tunnel.address):
        for name in tunnel.silent:
            yield Finding("wrong", "peers", message("doctor.no-handshake", name=name))
