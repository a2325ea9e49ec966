"""Where what is of the API and the front, and how they are reached. Pure."""

from collections.abc import Sequence
from importlib.resources import files

from ..credentials.core import APPS
from ..inventory.core import Inventory, Role, Server
from ..plan.core import Action, Check, Directory, File
from ..plan.footprint import ANYBODY, Footprint, Leftover, Opening
from ..plan.module import CREDENTIALS
from ..rehearsal.clients import program

SECRETS = f"{CREDENTIALS}/{APPS.file}"
API_PORT, FRONT_PORT = 8081, 8080
"""On the address of every server that has the role, with K3s or without."""
API_NODE_PORT, FRONT_NODE_PORT = 31081, 31080
WEB_PORT = 80
"""Of a balancer, for both host names."""
API_UNIT, FRONT_UNIT = "keyservices-api.service", "keyservices-front.service"
ALIVE = "pgrep -u www-data -f 'python3 -m services[.]'"
HOME = "/usr/local/lib/keyservices"
ROOM = f"{HOME}/services"
SETTINGS = "/etc/keyservices"
CLIENT = program("visits")
SERVICES = ("web", "places", "postgres", "redis", "api", "front")
FOOTPRINT = Footprint(
    (
        Opening((Role.HAPROXY,), (WEB_PORT,), ANYBODY),
        # With K3s, its masters look whether they are there.
        Opening((Role.APPS,), (API_PORT, FRONT_PORT), (Role.HAPROXY, Role.APPS, Role.K3S_MASTER)),
    ),
    leftovers=(
        Leftover(
            (Role.APPS,),
            (FRONT_UNIT, API_UNIT),
            (
                *(ROOM, f"{SETTINGS}/api.json", f"{SETTINGS}/front.json"),
                *(f"/etc/systemd/system/{unit}" for unit in (API_UNIT, FRONT_UNIT)),
            ),
        ),
    ),
)


def api_host(inventory: Inventory) -> str:
    """The host name that the API is asked by."""
    return f"platform-api.{inventory.domain}"


def front_host(inventory: Inventory) -> str:
    """The host name of the pages."""
    return f"platform.{inventory.domain}"


def texts() -> dict[str, str]:
    """The programs, by the names of their files."""
    folder = files(__package__).joinpath("services")
    return {f"{name}.py": folder.joinpath(f"{name}.py").read_text(encoding="utf-8") for name in SERVICES}


def programs() -> tuple[Action, ...]:
    """They are on a server."""
    return (Directory(HOME), Directory(ROOM), *(File(f"{ROOM}/{name}", text) for name, text in texts().items()))


def answers(place: str, host: str, path: str, within_s: float) -> Check:
    """Whoever is at HOST:PORT answers with 200 for this host name and path."""
    return Check(f"{CLIENT} ask {place} {host} {path}", within_s)


def place(server: Server, port: int) -> str:
    """Its address and a port."""
    return f"[{server.address}]:{port}" if ":" in server.address else f"{server.address}:{port}"


def in_order(first: Server, servers: Sequence[Server], port: int) -> list[str]:
    """The places of all, its own first."""
    return [place(one, port) for one in sorted(servers, key=lambda one: one != first)]
