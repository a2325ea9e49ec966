"""A cleanup as a plan: what modules have declared, and the declared devices, of servers that are named. Pure.

It looks before anything is touched: where one server does not answer, or one device is more than was declared, nothing
is done anywhere. Carried out again it finds what is gone, and goes on. Credentials are in no list.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from ..inventory.core import Server
from ..plan.core import Absent, Action, Check, Command, Decided, File, Packages, Plan, Stage, Undecided
from ..plan.footprint import SHARED, Footprint, Leftover
from ..plan.module import CREDENTIALS, HOME
from . import gone
from .core import Declared, why_not_format, without_mount
from .looking import Looked, look, read_look

Answers = Mapping[str, tuple[str, ...] | None]
FSTAB = "/etc/fstab"
_PATH = re.compile(r"(/[A-Za-z0-9._@+-]+){2,}")
_OTHERS = frozenset(
    ("/etc/ssh", "/etc/mysql", "/etc/systemd", "/etc/systemd/system", "/usr/local", "/usr/local/lib", "/var/lib")
)


class LeftoverWrong(Exception):
    """A module declares something that cleanup must not remove."""


def plan(
    servers: Sequence[Server],
    footprints: Iterable[Footprint],
    devices: Iterable[Declared],
    *,
    call: str,
    installer: tuple[Server, str] | None = None,
) -> Plan:
    """``call`` names this call: a device is made anew once in each. ``installer``: it, and its folder of logs.

    Raises LeftoverWrong.
    """
    declared = [*(one for each in footprints for one in each.leftovers), SHARED]
    left = {server.name: _left(server, declared) for server in servers}
    of = {server.name: [one for one in devices if one.server == server.name] for server in servers}
    with_devices = {name: found for name, found in of.items() if found}
    tidied = _tidied(installer[1]) if installer else ()

    def everywhere(actions: Mapping[str, tuple[Action, ...]]) -> Mapping[str, tuple[Action, ...]]:
        return {server.name: actions[server.name] for server in servers}

    stages = [
        Stage("looked at", {name: (look(found),) for name, found in of.items()}, lambda said: _may(of, said)),
        Stage("services", everywhere({name: (gone.stopped(_units(one)),) for name, one in left.items()})),
        Stage("containers", everywhere(dict.fromkeys(left, (gone.containers(),)))),
    ]
    if with_devices:
        asked: dict[str, tuple[Action, ...]] = {name: (look(found),) for name, found in with_devices.items()}
        stages.append(Stage("devices", asked, lambda said: _wiped(with_devices, said, call)))
    stages.append(Stage("files", everywhere({name: (*_removed(one), gone.reread()) for name, one in left.items()})))
    if installer:
        stages.append(Stage("installer", {installer[0].name: tidied}))
    stages.append(Stage("as expected", everywhere({name: _expected(one, of[name]) for name, one in left.items()})))
    return Plan("cleanup", tuple(stages))


def _left(server: Server, declared: Iterable[Leftover]) -> tuple[Leftover, ...]:
    found = tuple(one for one in declared if server.roles & set(one.roles))
    for path in _paths(found):
        if why := why_not_remove(path):
            raise LeftoverWrong(f"{path}: {why}")
    return found


def why_not_remove(path: str) -> str | None:
    """Why cleanup must not remove what is declared; None when it may."""
    if not _PATH.fullmatch(path) or {".", ".."} & set(path.split("/")):
        return "no path of two names or more"
    if path in _OTHERS:
        return "is not ours alone"
    kept, one = PurePosixPath(CREDENTIALS), PurePosixPath(path)
    if one == kept or one in kept.parents or kept in one.parents:
        return "credentials are kept"
    return None


def _units(left: Iterable[Leftover]) -> list[str]:
    return list(dict.fromkeys(unit for one in left for unit in one.units))


def _paths(left: Iterable[Leftover]) -> list[str]:
    return list(dict.fromkeys(path for one in left for path in one.paths))


def _removed(left: Sequence[Leftover]) -> tuple[Action, ...]:
    """What is no file first: it may need programs that are files."""
    return (*(action for one in left for action in one.undone), *map(Absent, _paths(left)))


def _all_looked(of: Mapping[str, Sequence[Declared]], said: Answers) -> dict[str, Looked]:
    """Raises Undecided where anything is not as was declared, with all of it."""
    found: dict[str, Looked] = {}
    wrong: list[str] = []
    for name, devices in of.items():
        answer = said.get(name)
        looked = None if answer is None else read_look(answer, len(devices))
        if looked is None:
            wrong.append(f"{name}: does not say what is there")
            continue
        found[name] = looked
        pairs = zip(devices, looked.seen, strict=True)
        wrong += [f"{name}: {why}" for one, seen in pairs if (why := why_not_format(one, seen))]
    if wrong:
        raise Undecided("\n".join(wrong))
    return found


def _may(of: Mapping[str, Sequence[Declared]], said: Answers) -> Decided:
    _all_looked(of, said)
    return Decided("all answer, and all devices are what was declared")


def _wiped(of: Mapping[str, Sequence[Declared]], said: Answers, call: str) -> Decided:
    """Out of the table first: whoever is without power in between starts without them."""
    does: dict[str, tuple[Action, ...]] = {}
    for name, looked in _all_looked(of, said).items():
        fstab = looked.fstab
        for number, one in enumerate(of[name]):
            fstab = without_mount(fstab, one, {source: True for at, source in looked.same if at == number})
        table = File(FSTAB, fstab, looked.mode, looked.owner)
        each = [action for one in of[name] for action in (gone.unmounted(one), gone.wiped(one, call))]
        does[name] = (Packages(("xfsprogs",)), table, gone.reread(), *each)
    return Decided("they are unmounted, and made anew", (Stage("made anew", does),))


def _tidied(home: str) -> tuple[Action, ...]:
    """Logs and what is temporary. The log of what happens now, and all else, stays."""
    find = f"find {home}/logs {home}/tmp -mindepth 1 ! -path {home}/logs/cleanup.log"
    return (
        Command(f"{find} -delete", f"! {{ {find} 2>/dev/null | grep .; }}", about=f"nothing in {home}/logs and tmp"),
    )


def _expected(left: Sequence[Leftover], devices: Iterable[Declared]) -> tuple[Action, ...]:
    """How a server is then, whoever did it; its credentials are as they were."""
    paths = " ".join(_paths(left))
    kept = f"[ ! -d {HOME} ] || [ ! -e {CREDENTIALS} ] || [ \"$(stat -c '%a %U' {CREDENTIALS})\" = '700 root' ]"
    return (
        gone.none_runs(_units(left)),
        Check(gone.NO_CONTAINERS, 0, about="no containers, images, volumes or networks"),
        Check(f"! ls -d {paths} 2>/dev/null | grep .", 0, about=f"nothing at {paths}"),
        *(Check(gone.is_empty(one), 0, about=f"{one.device} is an XFS, not mounted") for one in devices),
        Check(kept, 0, about="credentials are kept, and root's alone"),
    )
