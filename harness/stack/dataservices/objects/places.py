"""Where what is of an object store of this module, and how it is asked. Pure."""

from collections.abc import Sequence

from ..credentials.core import OBJECTS
from ..inventory.core import Server
from ..plan.module import CREDENTIALS
from ..rehearsal.clients import program

PORT = 9000
"""S3, of every server and whichever store it is."""
ETCD_PORT, ETCD_PEER_PORT = 2389, 2390
"""Of the module's own etcd, beside the one of PostgreSQL (2379, 2380); the first at 127.0.0.1 alone."""
MASTER_PORT, VOLUME_PORT, FILER_PORT = 9333, 9340, 9350
RPC = 10_000
"""SeaweedFS's parts talk to each other at their port, and at that one plus this."""
CLIENT_PORTS = (PORT,)
PEER_PORTS = (ETCD_PEER_PORT, *(port + more for port in (MASTER_PORT, VOLUME_PORT, FILER_PORT) for more in (0, RPC)))
"""What the servers reach of each other, besides; MinIO needs none."""

USER = "objects"
HOME = "/var/lib/objects"
SETTINGS = "/etc/keyservices/objects"
WATCHER, WATCHER_UNIT = "/usr/local/lib/keyservices/objects_watcher.py", "objects-watcher.service"
UNIT, ETCD_UNIT = "objects.service", "objects-etcd.service"
SECRETS = f"{CREDENTIALS}/{OBJECTS.file}"
TOOL = "/usr/local/bin/objects"
FOUNDED = f"{SETTINGS}/store"
"""Says which store has its objects here."""
PLACE = f"{SETTINGS}/address"
"""Says by which address this server is known."""


def own_first(server: Server, servers: Sequence[Server]) -> tuple[Server, ...]:
    """In the order in which a client on this server asks them."""
    return (server, *(one for one in servers if one != server))


def client(servers: Sequence[Server]) -> str:
    """The program by which the store is tried, by any of these servers."""
    return program("objects", "+".join(f"{one.address},{PORT}" for one in servers))


def tool(servers: Sequence[Server]) -> str:
    """The program of whoever looks after it."""
    return program("s3", "+".join(f"{one.address},{PORT}" for one in servers), SECRETS)


def listens(port: int) -> str:
    """A shell command that succeeds where this server answers to HTTP at this port, whatever it says."""
    ask = f"import http.client as h, pathlib; a = pathlib.Path('{PLACE}').read_text().strip(); "
    ask += f"c = h.HTTPConnection(a, {port}, timeout=2); c.request('GET', '/'); c.getresponse()"
    return f'python3 -c "{ask}"'


def leads() -> str:
    """A shell command that succeeds on the server whose master leads SeaweedFS."""
    ask = f"import json, pathlib, urllib.request as u; a = pathlib.Path('{PLACE}').read_text().strip(); "
    said = f"json.load(u.urlopen('http://' + a + ':{MASTER_PORT}/cluster/status', timeout=2))"
    return f"python3 -c \"{ask}raise SystemExit(not {said}.get('IsLeader'))\""


def is_here(server: Server) -> str:
    """A shell command that succeeds on this server alone."""
    return f"[ \"$(cat {PLACE})\" = '{server.address}' ]"
