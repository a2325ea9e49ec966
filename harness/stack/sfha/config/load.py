"""/etc/sfha/config.yml and /etc/sfha/mesh.json, read into frozen dataclasses.

Every mistake is a ConfigError that names the file, the line and the key. Unknown names are mistakes.
"""

import json
from dataclasses import dataclass, field, fields, replace
from ipaddress import IPv4Interface, ip_interface
from pathlib import Path
from typing import TYPE_CHECKING

from ...kit.messages import Message, message
from ...kit.settings import ConfigError, Section, compose
from .names import fault_of_text
from .resources import Resources, read_resources
from .timing import PROFILES, Profile
from .vip_settings import USUAL, VipSettings, read_settings

if TYPE_CHECKING:
    from ..fencing.settings import Stonith

CONFIG_PATH = Path("/etc/sfha/config.yml")
MESH_PATH = Path("/etc/sfha/mesh.json")
MAX_INTERFACE_NAME_BYTES = 15

__all__ = ["Config", "ConfigError", "Mesh", "MeshNode", "Unsafe", "Vip", "load_config", "load_mesh", "other_node"]


@dataclass(frozen=True, slots=True)
class Vip:
    """A virtual address of either family in its shortest form, with its prefix length, on an interface.

    One that is not ``guarded`` by the lease (its interface cannot be) waits for fencing instead.
    """

    name: str
    address: str
    prefix: int
    interface: str
    guarded: bool = True
    settings: VipSettings = USUAL

    def stays_as(self, other: "Vip | None") -> bool:
        """Whether it need not be taken away to become like the other."""
        return other is not None and replace(self, settings=other.settings) == other


@dataclass(frozen=True, slots=True)
class Unsafe:
    """Guarantees that may be broken on purpose, so that a test harness can show that it notices."""

    announce: bool = True
    guard_egress: bool = True
    quorum_guard: bool = True
    release_on_loss: bool = True


@dataclass(frozen=True, slots=True)
class Config:
    """The whole of config.yml."""

    cluster: str
    node: str
    profile: Profile
    quorum_required: bool = True
    poll_interval_ms: int = 2000
    priority: int = 0
    vips: tuple[Vip, ...] = ()
    unsafe: Unsafe = Unsafe()
    resources: Resources = field(default_factory=Resources)
    stonith: "Stonith | None" = None
    """None where the file has no such section."""

    def broken(self) -> tuple[str, ...]:
        """The keys by which guarantees are switched off."""
        chosen = {"cluster.quorum_required": self.quorum_required}
        chosen |= {f"unsafe.{part.name}": getattr(self.unsafe, part.name) for part in fields(Unsafe)}
        return tuple(key for key, holds in chosen.items() if not holds)

    def differs_for_good(self, other: "Config") -> str | None:
        """The first key of what a running daemon cannot change and that is different in ``other``; None: there is none.

        ``stonith`` itself may change, but not whether it is enabled.
        """
        for key in ("cluster", "node", "profile", "quorum_required", "unsafe"):
            if getattr(self, key) != getattr(other, key):
                return key
        fences = [config.stonith is not None and config.stonith.enabled for config in (self, other)]
        return "stonith.enabled" if fences[0] != fences[1] else None


class ReloadRefused(Exception):
    """A configuration cannot be taken up by the running daemon; ``why`` says why. Nothing has changed."""

    def __init__(self, why: Message | str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class MeshNode:
    """A node of the mesh, this one or a peer. ``public_key`` is empty for this node, ``endpoint`` where not given."""

    node_id: int
    name: str
    address: str
    votes: int = 1
    public_key: str = ""
    endpoint: str = ""


@dataclass(frozen=True, slots=True)
class Mesh:
    """The whole of mesh.json."""

    private_key: str
    own: MeshNode
    prefix: int
    peers: tuple[MeshNode, ...]
    interface: str = "wg-sfha"
    port: int = 51820
    mtu: int = 1420

    def nodes(self) -> tuple[MeshNode, ...]:
        """Every node, this one included, by node id."""
        return tuple(sorted((self.own, *self.peers), key=lambda node: node.node_id))


def load_config(path: Path = CONFIG_PATH, text: str | None = None) -> Config:
    """Read config.yml, or the ``text`` that is going to be written there. Raises ConfigError."""
    top = compose(path, text)
    cluster, node, unsafe = top.section("cluster"), top.section("node"), top.section("unsafe")
    profile = cluster.text("profile", "fast")
    if profile not in PROFILES:
        allowed = ", ".join(sorted(PROFILES))
        raise cluster.wrong("profile", message("config.one-of", allowed=allowed, given=profile))
    vips, stonith = _vips(top), _stonith(top)
    _refuse_unfenced(top, vips, stonith)
    config = Config(
        cluster=_name(cluster),
        node=_name(node),
        profile=PROFILES[profile],
        quorum_required=cluster.flag("quorum_required", True),
        poll_interval_ms=cluster.number("poll_interval_ms", 2000, 100, 60_000),
        priority=node.number("priority", 0, 0, 1000),
        vips=vips,
        resources=read_resources(top, [vip.name for vip in vips]),
        stonith=stonith,
        unsafe=Unsafe(
            announce=unsafe.flag("announce", True),
            guard_egress=unsafe.flag("guard_egress", True),
            quorum_guard=unsafe.flag("quorum_guard", True),
            release_on_loss=unsafe.flag("release_on_loss", True),
        ),
    )
    for section in (cluster, node, unsafe, top):
        section.done()
    return config


def _name(section: Section) -> str:
    """A name that corosync.conf can hold."""
    name = section.text("name")
    why = fault_of_text(name)
    if why is not None:
        raise section.wrong("name", why)
    return name


def _stonith(top: Section) -> "Stonith | None":
    top.take("stonith")
    if "stonith" not in top.names():
        return None
    from ..fencing.settings import read_stonith

    return read_stonith(top)


def _refuse_unfenced(top: Section, vips: tuple[Vip, ...], stonith: "Stonith | None") -> None:
    if stonith is None or not stonith.enabled:
        for section, vip in zip(top.sections("vips"), vips, strict=True):
            if not vip.guarded:
                raise section.wrong("lease", message("config.lease-needs-fencing"))


def _vips(top: Section) -> tuple[Vip, ...]:
    vips: list[Vip] = []
    for section in top.sections("vips"):
        vip = _vip(section)
        section.done()
        if any(vip.name == other.name for other in vips):
            raise section.wrong("name", message("config.taken-vip", given=repr(vip.name)))
        if any(vip.address == other.address for other in vips):
            raise section.wrong("ip", message("config.taken-vip", given=vip.address))
        vips.append(vip)
    return tuple(vips)


def _vip(section: Section) -> Vip:
    given = section.text("ip")
    cidr = section.number("cidr", 64 if ":" in given else 24, 1, 128 if ":" in given else 32)
    interface = section.text("interface", "eth0")
    why = _not_an_interface(interface)
    if why:
        raise section.wrong("interface", message("config.not-interface", given=interface, why=message(why)))
    try:
        address = ip_interface(given if "/" in given else f"{given}/{cidr}")
        if address.ip.is_unspecified or address.ip.is_multicast or address.ip.is_loopback or "%" in given:
            raise ValueError("not an address of a host on a network")
        if address.version == 4 and address.network.prefixlen < 31 and address.ip == address.network.broadcast_address:
            raise ValueError("the broadcast address, which no host can have")
    except ValueError as error:
        raise section.wrong("ip", message("config.not-address", given=given)) from error
    guarded = section.flag("lease", True)
    return Vip(
        section.text("name"), str(address.ip), address.network.prefixlen, interface, guarded, read_settings(section)
    )


def _not_an_interface(name: str) -> str | None:
    """Why nothing can have this name (dev_valid_name() of the kernel; a key of the catalogue), or None."""
    raw = name.encode(errors="surrogateescape")
    if not raw or name in {".", ".."}:
        return "config.interface.empty"
    if len(raw) > MAX_INTERFACE_NAME_BYTES:
        return "config.interface.long"
    # The kernel takes bytes for characters: 0xa0, of an "à" in UTF-8, is a space to it.
    if any(byte in b"/:" or byte <= 0x20 or byte in (0x7F, 0xA0) for byte in raw):
        return "config.interface.odd"
    # nftables takes a star for many names, and cannot be told of a quotation mark.
    return "config.interface.star" if "*" in name or '"' in name else None


def other_node(config: Config, mesh: Mesh, config_path: Path, mesh_path: Path) -> Message:
    """Says that the two files are not about the same node."""
    return message(
        "config.other-node", file=str(mesh_path), given=mesh.own.name, other=str(config_path), node=config.node
    )


def load_mesh(path: Path = MESH_PATH) -> Mesh:
    """Read mesh.json. Raises ConfigError. JSON is YAML, so errors have lines here, too."""
    try:
        json.loads(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        raise ConfigError(message("config.unreadable", file=str(path), reason=reason)) from error
    except json.JSONDecodeError as error:
        problem = message("config.not-json", file=str(path), line=error.lineno, problem=error.msg)
        raise ConfigError(problem) from error
    top = compose(path)
    own = _mesh_address(top)
    about = (top.number("node_id", None, 1, 2**31 - 1), _name(top), str(own.ip), _votes(top))
    peers = tuple(_peer(section) for section in top.sections("peers"))
    mesh = Mesh(
        private_key=top.text("private_key"),
        own=MeshNode(*about, endpoint=top.text("endpoint", "")),
        prefix=own.network.prefixlen,
        peers=peers,
        interface=top.text("interface", "wg-sfha"),
        port=top.number("port", 51820, 1, 65535),
        mtu=top.number("mtu", 1420, 576, 9000),
    )
    top.done()
    for what, values in (
        ("node_id", [str(node.node_id) for node in mesh.nodes()]),
        ("name", [node.name for node in mesh.nodes()]),
        ("address", [node.address for node in mesh.nodes()]),
    ):
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise ConfigError(message("config.two-nodes", file=str(path), what=what, given=twice[0]))
    return mesh


def _votes(section: Section) -> int:
    return section.number("votes", 1, 0, 255)


def _mesh_address(section: Section) -> IPv4Interface:
    given = section.text("address")
    try:
        return IPv4Interface(given)
    except ValueError as error:
        raise section.wrong("address", message("config.not-mesh-address", given=given)) from error


def _peer(section: Section) -> MeshNode:
    endpoint = section.text("endpoint")
    host, _, port = endpoint.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or not 0 < int(port) <= 65535:
        raise section.wrong("endpoint", message("config.not-endpoint", given=endpoint))
    peer = MeshNode(
        node_id=section.number("node_id", None, 1, 2**31 - 1),
        name=_name(section),
        address=str(_mesh_address(section).ip),
        votes=_votes(section),
        public_key=section.text("public_key"),
        endpoint=endpoint,
    )
    section.done()
    return peer
