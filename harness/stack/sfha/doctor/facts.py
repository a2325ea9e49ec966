"""Finding out what there is on this node. Nothing is changed, and nothing is waited for longer than seconds."""

import ctypes
import errno
import json
import os
import platform
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from ...kit.messages import Message, message
from ..admin.daemon_start import daemon_process, text_since
from ..config.load import (
    CONFIG_PATH,
    MESH_PATH,
    Config,
    ConfigError,
    Mesh,
    load_config,
    load_mesh,
    other_node,
)
from ..config.networks import network_of, taken_of
from ..control.client import CONTROL_PATH, DaemonUnreachable, ask
from ..kernel.nft import Nft, NftError
from ..lease.gate_form import NOT_OFFERED, offered
from ..logs.event_log import LOG_PATH
from ..membership import logfile, survey
from ..membership.complaints import reason_in
from ..membership.ownership import Survey
from ..mesh import udp, wireguard
from ..mesh.host_port import split_endpoint
from ..reluctance.disk import room_bytes
from ..wall import wall
from .core import HANDSHAKE_RECENT_S, Daemon, Facts, Kernel, Link, Place, Port, Tunnel

TOOL_TIMEOUT_S, RESOLVE_WITHIN_S = 5.0, 3.0
WIREGUARD_PORT, COROSYNC_PORT, HEARTBEAT_PORT = 51820, 5405, 7778
PROGRAMS = ("corosync", "wg", "ip")
LIBRARIES = ("libnftables.so.1", "libquorum.so.5", "libcmap.so.4")
INTERFACE = "wg-sfha"
SYSCTLS = Path("/proc/sys/net")
STA_UNSYNC = 0x40
TAIL_BYTES = 1 << 14
PLACES = (CONFIG_PATH.parent, Path("/var/lib/sfha"), LOG_PATH.parent)


def gather() -> Facts:
    """Everything that can be found out with the rights that there are."""
    unread: list[str] = []
    mistakes: list[Message] = []
    config, mesh = _configuration(unread, mistakes)
    member = _exists(MESH_PATH, unread)
    daemon = _daemon(unread) if member else Daemon()
    vips = config.vips if config is not None else ()
    links, routes = _told_by_ip("link"), _told_by_ip("-4", "route")
    tunnel = _tunnel(mesh, unread) if mesh is not None else None
    interface = mesh.interface if mesh is not None else INTERFACE
    found = _corosync(unread)
    return Facts(
        kernel=_kernel(),
        corosync=found,
        corosync_said=_said_by_corosync() if found.process_id is None else "",
        member=member,
        unread=tuple(dict.fromkeys(unread)),
        mistakes=tuple(mistakes),
        tunnel=tunnel,
        daemon=daemon,
        ports=_ports(mesh.port if mesh is not None else WIREGUARD_PORT, member=member),
        links=tuple(_link(name, links, routes) for name in dict.fromkeys(vip.interface for vip in vips)),
        vips=vips,
        unresolved=_unresolved(peer.endpoint for peer in mesh.peers) if mesh is not None else (),
        taken=taken_of(_told_by_ip("-4", "address"), routes, but=interface),
        places=tuple(filter(None, map(_place, PLACES))) + _log_place(),
        year=time.gmtime().tm_year,
        synchronised=_synchronised(),
    )


def _exists(path: Path, unread: list[str]) -> bool:
    try:
        path.stat()
    except FileNotFoundError:
        return False
    except OSError:
        unread.append(str(path))
        return False
    return True


def _configuration(unread: list[str], mistakes: list[Message]) -> tuple[Config | None, Mesh | None]:
    config: Config | None = None
    mesh: Mesh | None = None
    for path in (CONFIG_PATH, MESH_PATH):
        if not _exists(path, unread):
            continue
        if not os.access(path, os.R_OK):
            unread.append(str(path))
            continue
        try:
            if path == CONFIG_PATH:
                config = load_config()
            else:
                mesh = load_mesh()
        except ConfigError as error:
            why = error.why
            mistakes.append(why if isinstance(why, Message) else message("doctor.said", words=why))
    if config is not None and mesh is not None and config.node != mesh.own.name:
        mistakes.append(other_node(config, mesh, CONFIG_PATH, MESH_PATH))
    if mesh is not None and not CONFIG_PATH.exists():
        mistakes.append(message("doctor.no-config", path=str(CONFIG_PATH)))
    return config, mesh


def _daemon(unread: list[str]) -> Daemon:
    process_id = daemon_process()
    try:
        status: Any = json.loads(ask("status"))
        return Daemon(process_id, status if isinstance(status, dict) else None)
    except DaemonUnreachable as error:
        cause = error.__cause__
        if isinstance(cause, OSError) and cause.errno in (errno.EACCES, errno.EPERM):
            unread.append(str(CONTROL_PATH))
    except ValueError:
        pass
    return Daemon(process_id)


def _tunnel(mesh: Mesh, unread: list[str]) -> Tunnel:
    now = wireguard.condition(mesh.interface)
    names = {peer.public_key: peer.name for peer in mesh.peers}
    silent: list[str] = []
    known = False
    if now.there:
        try:
            at_s = wireguard.handshakes(mesh.interface)
            known = True
            silent = [name for key, name in names.items() if time.time() - at_s.get(key, 0) > HANDSHAKE_RECENT_S]
        except wireguard.WireGuardError:
            unread.append(mesh.interface)
    network = network_of(mesh)
    return Tunnel(mesh.interface, mesh.own.address, network, now, tuple(silent), known, wall.stands())


def _kernel() -> Kernel:
    major, minor = [*platform.release().split("."), "0"][:2]
    release = (int(major), int("".join(filter(str.isdigit, minor)) or 0))
    modules = Path("/lib/modules") / platform.release() / "modules.builtin"
    builtin = False
    with suppress(OSError):
        builtin = "/wireguard.ko" in modules.read_text()
    module = any(modules.parent.glob("kernel/drivers/net/wireguard/wireguard.ko*"))
    tun = (wireguard.TUN.exists() or os.geteuid() == 0) and shutil.which("wireguard-go") is not None
    missing = [name for name in PROGRAMS if shutil.which(name, path=_search_path()) is None]
    for name in LIBRARIES:
        try:
            ctypes.CDLL(name)
        except OSError:
            missing.append(name)
    wireguard_there = Path("/sys/module/wireguard").exists() or builtin or module
    return Kernel(release, wireguard_there, tun, tuple(missing), _guards())


def _guards() -> str | None:
    """The family of nftables that guards addresses in this kernel; asking needs root."""
    if os.geteuid():
        return None
    try:
        return offered(Nft(dry_run=True)).family
    except NftError as error:
        return "" if NOT_OFFERED in str(error) else None


def _search_path() -> str:
    """An ordinary user's path lacks where administrators' programs are."""
    return os.pathsep.join((os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"))


def _corosync(unread: list[str]) -> Survey:
    try:
        return survey.look()
    except PermissionError as error:
        unread.append(str(error.filename))
        return survey.look(thorough=False)


def _said_by_corosync() -> str:
    log = logfile.LOG_FILE
    try:
        text = text_since(log, max(0, log.stat().st_size - TAIL_BYTES))
    except OSError:
        return ""
    lines = [line for line in text.splitlines() if line.strip()]
    return reason_in("\n".join(lines[-20:])) if any("exiting" in line for line in lines[-2:]) else ""


def _ports(wireguard_port: int, *, member: bool) -> tuple[Port, ...]:
    tunnels = frozenset({"WireGuard", "wireguard-go"})
    wanted = [Port(wireguard_port, message("doctor.port.wireguard"), tunnels)]
    if member:
        wanted.append(Port(COROSYNC_PORT, message("doctor.port.corosync"), frozenset({"corosync"})))
        wanted.append(Port(HEARTBEAT_PORT, message("doctor.port.heartbeat"), frozenset({"sfha", "python3"})))
    found = []
    for port in wanted:
        holder = udp.holder_of(port.number)
        name, shown = (holder.name, str(holder)) if holder is not None else (None, "")
        found.append(Port(port.number, port.purpose, port.rightly, name, shown))
    return tuple(found)


def _link(name: str, links: list[Any], routes: list[Any]) -> Link:
    about = next((one for one in links if one.get("ifname") == name), None)
    if about is None:
        return Link(name)
    flags = set(about.get("flags", ()))
    settings = {key: value for key in ("promote_secondaries", "arp_ignore", "rp_filter")
                if (value := _effective(name, key)) is not None}  # fmt: skip
    by_default = {str(route.get("dev")) for route in routes if route.get("dst") == "default"}
    settings["default_route_elsewhere"] = int(bool(by_default) and name not in by_default)
    settings["bridge_nf"] = max(_number(SYSCTLS / "bridge" / f"bridge-nf-call-{table}") or 0
                                for table in ("arptables", "iptables", "ip6tables"))  # fmt: skip
    bridge = about.get("linkinfo", {}).get("info_kind") == "bridge"
    return Link(name, True, "UP" in flags, "LOWER_UP" in flags, bridge, settings)


def _effective(interface: str, key: str) -> int | None:
    """The larger of the interface's and the one for all, which is what the kernel goes by (ip-sysctl)."""
    values = [_number(SYSCTLS / "ipv4/conf" / where / key) for where in (interface, "all")]
    return max((value for value in values if value is not None), default=None)


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _unresolved(endpoints: Iterable[str]) -> tuple[tuple[str, str], ...]:
    def reason(endpoint: str) -> str:
        try:
            host, port = split_endpoint(endpoint)
            socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        except socket.gaierror as error:
            return error.strerror or str(error)
        except (OSError, UnicodeError, ValueError):
            return ""
        return ""

    wanted = [endpoint for endpoint in dict.fromkeys(endpoints) if endpoint]
    pool = ThreadPoolExecutor(max_workers=max(1, len(wanted)))
    answers = [(endpoint, pool.submit(reason, endpoint)) for endpoint in wanted]
    found, deadline_s = [], time.monotonic() + RESOLVE_WITHIN_S
    for endpoint, answer in answers:
        try:
            why = answer.result(timeout=max(0.0, deadline_s - time.monotonic()))
        except TimeoutError:
            why = os.strerror(errno.ETIMEDOUT)
        if why:
            found.append((endpoint, why))
    pool.shutdown(wait=False, cancel_futures=True)
    return tuple(found)


def _place(path: Path) -> Place | None:
    try:
        about = os.statvfs(path)
    except OSError:
        return None
    refuses = os.strerror(errno.EROFS) if about.f_flag & os.ST_RDONLY else ""
    return Place(str(path), room_bytes(about), refuses)


def _log_place() -> tuple[Place, ...]:
    """The log itself: there, but nothing that can be written to."""
    if not LOG_PATH.exists() or (LOG_PATH.is_file() and (os.geteuid() or os.access(LOG_PATH, os.W_OK))):
        return ()
    reason = os.strerror(errno.EISDIR if LOG_PATH.is_dir() else errno.EACCES)
    return (Place(str(LOG_PATH), 1 << 62, reason),)


def _synchronised() -> bool:
    """Whether something keeps the kernel's clock right (adjtimex(2)); asking needs no rights."""
    answer = (ctypes.c_char * 256)()
    try:
        if ctypes.CDLL(None, use_errno=True).adjtimex(answer) < 0:
            return True
    except (OSError, AttributeError):
        return True
    status = ctypes.c_int.from_buffer(answer, 4 * ctypes.sizeof(ctypes.c_long) + ctypes.sizeof(ctypes.c_long))
    return not status.value & STA_UNSYNC


def _told_by_ip(*what: str) -> list[Any]:
    options = ("-d",) if what == ("link",) else ()
    try:
        done = subprocess.run(
            ["ip", "-j", *options, *what, "show"], capture_output=True, check=False, timeout=TOOL_TIMEOUT_S
        )
        answer = json.loads(done.stdout or b"[]")
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return []
    return answer if isinstance(answer, list) else []
