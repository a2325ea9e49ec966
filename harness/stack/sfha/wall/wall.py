"""Rules of the packet filter around the mesh: what is said in it comes through the tunnel, and to Corosync from root.

An interface's address is the whole node's (Linux answers for it on every interface), so whoever shares a network with a
node can send it packets under a mesh address, beside the tunnel. Datagrams and requests prove who made them; Corosync
over udpu, in the profile `lan`, cannot tell. Its port is kept from users without root
on the members as well: they have a mesh address to send from.

The table stays when the daemon ends, as the tunnel and Corosync do, and goes with the tunnel.
"""

import struct
import threading
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from ...kit.ports import Log
from ..config.load import Mesh
from ..config.networks import Taken, network_of, overlapping
from ..kernel.nfnetlink import NFPROTO_INET, NetfilterSocket
from ..kernel.nft import Nft, NftError
from ..membership.core import COROSYNC_PORT

NAME = "sfha_mesh"
TABLE = f"inet {NAME}"
ENTRY = "entry"
REQUESTS_PORT, DATAGRAMS_PORT = 7777, 7778
PRIORITY = -300
LOOK_EVERY_S, LAST_PAUSE_S = 1.0, 30.0
ROUTES, UID_MAP = Path("/proc/thread-self/net/route"), Path("/proc/self/uid_map")
_REMOVAL = f"add table {TABLE}\ndelete table {TABLE}"


class WallError(Exception):
    """The rules cannot be put up; the message says why."""


def rules(mesh: Mesh, *, users: bool) -> str:
    """The table, instead of one that is there. ``users``: the kernel counts users as this process does."""
    tunnel, network, own = mesh.interface, network_of(mesh), mesh.own.address
    entry = [
        f"type filter hook prerouting priority {PRIORITY}; policy accept;",
        f'iifname {{ "lo", "{tunnel}" }} accept',
        f"ip saddr {network} drop",
        f"ip daddr {own} udp dport {{ {COROSYNC_PORT}, {DATAGRAMS_PORT} }} drop",
        f"ip daddr {own} tcp dport {REQUESTS_PORT} drop",
    ]
    leaving = [
        f"type filter hook output priority {PRIORITY}; policy accept;",
        f"ip daddr {network} udp dport {COROSYNC_PORT} meta skuid != 0 drop",
    ]
    chains = [(ENTRY, entry), *([("leaving", leaving)] if users else [])]
    body = [line for name, lines in chains for line in (f"chain {name} {{", *lines, "}")]
    return "\n".join([_REMOVAL, f"table {TABLE} {{", *body, "}"])


def routed(text: str) -> list[Taken]:
    """The networks that /proc/net/route has routes to, without the default one (proc_net(5))."""
    found = []
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) < 8 or int(fields[7], 16) == 0:
            continue
        address, mask = (IPv4Address(struct.pack("=I", int(fields[at], 16))) for at in (1, 7))
        found.append(Taken(IPv4Network(f"{address}/{mask}", strict=False), fields[0]))
    return found


class Wall:
    """The rules of one mesh."""

    def __init__(self, mesh: Mesh, log: Log) -> None:
        self._mesh, self._log = mesh, log
        self._said = ""
        self._ended = False
        self._one_at_a_time = threading.Lock()

    def put_up(self) -> None:
        """Have the rules, whatever was there before. Raises WallError."""
        try:
            others = [one for one in routed(ROUTES.read_text()) if one.interface != self._mesh.interface]
            other = overlapping(network_of(self._mesh), others)
            if other is not None:  # its own neighbours would be shut out
                raise WallError(f"{other.interface} has addresses of the mesh's network as well ({other.network})")
            Nft().run(rules(self._mesh, users=_counts_users()))
        except NftError as error:
            raise WallError(str(error)) from error
        except (OSError, ValueError) as error:
            raise WallError(f"{ROUTES}: {error}") from error

    def try_to(self) -> bool:
        """The same, unless it has ended; what is in the way is logged, once."""
        try:
            with self._one_at_a_time:
                if not self._ended:
                    self.put_up()
        except WallError as error:
            if str(error) != self._said:
                self._said = str(error)
                self._log("warning", what="packets beside the tunnel", message=self._said)
            return False
        self._said = ""
        return True

    async def watch(self) -> None:
        """Put the rules up again when somebody took them away, as a reload of the host's firewall does."""
        import asyncio  # not with the daemon's first programs: a start does not wait for it

        link, pause_s = NetfilterSocket(), LOOK_EVERY_S
        while not self._ended:
            await asyncio.sleep(pause_s)
            if _stands(link):
                pause_s = LOOK_EVERY_S
            elif await asyncio.to_thread(self.try_to):
                self._log("mesh-guarded-again")
            else:
                pause_s = min(2 * pause_s, LAST_PAUSE_S)

    def end(self) -> None:
        """Take the rules away for good; the tunnel goes."""
        with self._one_at_a_time:
            self._ended = True
            remove()


def stands() -> bool | None:
    """Whether the rules are there; None where that cannot be asked, without root."""
    try:
        return _stands(NetfilterSocket())
    except PermissionError:
        return None


def _stands(link: NetfilterSocket) -> bool:
    try:
        return link.chain_handle(NAME, ENTRY, NFPROTO_INET) is not None
    except PermissionError:
        raise
    except OSError:
        return False


def remove() -> None:
    """Take the rules away; none there, or no packet filter, is no error."""
    with suppress(NftError):
        Nft().run(_REMOVAL)


def _counts_users() -> bool:
    """Whether root is number 0 for the kernel, too; in a container with users of its own that depends on its age."""
    with suppress(OSError, ValueError):
        first, outside, count = map(int, UID_MAP.read_text().split())
        return first == outside == 0 and count > 0
    return False
