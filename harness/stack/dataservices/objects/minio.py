"""MinIO on three servers or more: what each has by itself, and how they are one store. Pure.

With three servers, each object's content is in two parts and one of parity, a server each: any one may be lost. Its
programs are not in any registry: whoever has them puts them where their makers do, on the installer, and each server
gets a copy. It takes no folder of the disk that carries the system: the home has to be a mount of its own.
"""

from collections.abc import Mapping, Sequence

from ..inventory.core import Server
from ..plan.core import Action, Carried, Check, Directory, File, Packages, Unit
from ..plan.dying import unmasked
from ..programs.core import Program
from ..templates.render import render
from . import places

_SERVER, _CLIENT = "/usr/local/bin/minio", "/usr/local/bin/mc"
_DATA = f"{places.HOME}/minio"
_ENV, _UNIT = f"{places.SETTINGS}/minio.env", f"/etc/systemd/system/{places.UNIT}"
_MC = "/root/.mc"
_TOGETHER_WITHIN_S = 60
ALIAS = "objects"
UNITS = (places.UNIT,)
LEFT = (_SERVER, _CLIENT, f"{_MC}/config.json")
"""What a cleanup takes away, besides the unit, settings and data."""
ALIVE = "pgrep -x minio"


def prepared() -> tuple[Action, ...]:
    """What a server has before the store itself."""
    owner = f"{places.USER}:{places.USER}"
    return (
        Packages(("python3", "procps", "iproute2")),
        Directory(places.HOME, 0o700, owner),
        Check(f"mountpoint -q {places.HOME}", 0),
        Directory(_DATA, 0o700, owner),
        *(unmasked(unit) for unit in UNITS),
    )


def single(
    server: Server, servers: Sequence[Server], secrets: Mapping[str, str], programs: tuple[Program, Program]
) -> tuple[Action, ...]:
    """The programs and their settings, on each server for itself."""
    minio, mc = programs
    env = render(
        "objects-minio.env.j2",
        access_key=secrets["OBJECTS_ACCESS_KEY"],
        secret_key=secrets["OBJECTS_SECRET_KEY"],
        volumes=[f"http://{one.address}:{places.PORT}{_DATA}" for one in servers],
        address=f"{server.address}:{places.PORT}",
    )
    return (
        Carried(_SERVER, minio.file, minio.sha256, 0o755),
        Carried(_CLIENT, mc.file, mc.sha256, 0o755),
        File(_ENV, env, 0o600),
        File(_UNIT, render("objects-minio.service.j2", user=places.USER, program=_SERVER, env=_ENV, home=places.HOME)),
    )


def cluster() -> tuple[Action, ...]:
    """They run, and are one: all begin at once, and wait for each other."""
    return (Unit(places.UNIT, (_UNIT, _ENV, _SERVER)), Check(places.listens(places.PORT), _TOGETHER_WITHIN_S))


def client(server: Server, secrets: Mapping[str, str]) -> tuple[Action, ...]:
    """Root's mc knows the store."""
    aliases = render(
        "objects-mc.json.j2",
        alias=ALIAS,
        url=f"http://{server.address}:{places.PORT}",
        access_key=secrets["OBJECTS_ACCESS_KEY"],
        secret_key=secrets["OBJECTS_SECRET_KEY"],
    )
    return (Directory(_MC, 0o700), File(f"{_MC}/config.json", aliases, 0o600, once=True))


def proven() -> tuple[Action, ...]:
    """What has to be so of this store alone."""
    return (Check(f"{_CLIENT} --json admin info {ALIAS}", _TOGETHER_WITHIN_S),)
