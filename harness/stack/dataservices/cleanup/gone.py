"""What one server has to be told so that nothing of ours runs on it, or will. Pure."""

import shlex
from collections.abc import Sequence

from ..plan.core import Check, Command
from .core import Declared

_ENGINES = "docker podman"
# No program here, nothing of it: but one that is here and does not answer may have anything.
_ALL_OF = """for engine in %s; do
    command -v $engine >/dev/null || continue
    %s
done"""
_LISTS = (
    "$engine ps -aq",
    "$engine images -aq",
    "$engine volume ls -q",
    # Those that the engine has by itself cannot be removed.
    "{ $engine network ls --format '{{.Name}}' | grep -vxE 'bridge|host|none|podman' || :; }",
)
_REMOVED = """[ $engine != podman ] || podman pod rm -fa
    containers=$($engine ps -aq); [ -z "$containers" ] || { $engine stop -t 10 $containers; $engine rm -f $containers; }
    images=$($engine images -aq | sort -u); [ -z "$images" ] || $engine rmi -f $images
    volumes=$($engine volume ls -q); [ -z "$volumes" ] || $engine volume rm -f $volumes
    networks=$(%s); [ -z "$networks" ] || $engine network rm $networks"""
NO_CONTAINERS = _ALL_OF % (
    _ENGINES,
    "said=$(" + " && ".join(_LISTS) + ') || exit 1; [ -z "$said" ] || { echo "$engine has $said"; exit 1; }',
)
"""A shell command that succeeds where no engine has anything."""


def containers() -> Command:
    """Neither containers nor images, volumes or networks of theirs, of any engine that is there."""
    removed = _ALL_OF % (_ENGINES, _REMOVED % _LISTS[-1])
    about = "no containers, images, volumes or networks of Docker or Podman"
    return Command(removed, NO_CONTAINERS, about=about)


def _none(units: Sequence[str]) -> str:
    """A shell command that succeeds when none of them runs, or would after the next start."""
    words = shlex.join(units)
    running = "active,activating,reloading,deactivating"
    return (
        f"! systemctl list-units --plain --no-legend --state={running} {words} | grep . && "
        f"! systemctl list-unit-files --no-legend --state=enabled,enabled-runtime,masked-runtime {words} | grep ."
    )


def stopped(units: Sequence[str]) -> Command:
    """None runs, and none starts any more."""
    words = shlex.join(units)
    there = f"systemctl list-unit-files --no-legend --state=enabled,enabled-runtime {words} | cut -d ' ' -f 1"
    return Command(
        f"systemctl -q unmask --runtime $(systemctl list-unit-files --no-legend --state=masked-runtime {words}"
        " | cut -d ' ' -f 1); "
        f"systemctl stop {words}; for one in $({there}); do systemctl -q disable $one; done; "
        f"systemctl reset-failed {words} 2>/dev/null || :",
        _none(units),
        about=f"stopped and not enabled: {words}",
    )


def none_runs(units: Sequence[str]) -> Check:
    """The same, looked at."""
    return Check(_none(units), 0, about=f"none of {' '.join(units)} runs, or is enabled")


def reread() -> Command:
    """systemd knows no file any more that is gone."""
    stale = "systemctl show '*' -p NeedDaemonReload | grep -qx NeedDaemonReload=yes"
    return Command("systemctl daemon-reload", f"! {{ {stale}; }}", about="systemd knows what is there now")


def wiped(one: Declared, call: str) -> Command:
    """The device has a new, empty XFS. Once in each ``call``: nobody can tell whether one is empty still."""
    device, mark = shlex.quote(one.device), f"/run/keyservices-wiped-{one.device.replace('/', '-')}"
    return Command(
        f"rm -f {mark}; mkfs.xfs -q -f {device} && {{ udevadm settle 2>/dev/null; {is_empty(one)}; }} && "
        f"printf %s {call} >{mark}",
        f'[ "$(cat {mark} 2>/dev/null)" = {call} ]',
        about=f"{one.device} has a new, empty XFS (mkfs.xfs -f): all that was on it is gone",
    )


def is_empty(one: Declared) -> str:
    """A shell command that succeeds when it is an XFS that is mounted nowhere."""
    device = shlex.quote(one.device)
    return f'[ "$(blkid -p -s TYPE -o value {device})" = xfs ] && ! {{ {_mounts(one)} | grep .; }}'


def _mounts(one: Declared) -> str:
    """A shell command that prints where it is mounted."""
    numbers = '"$(cat "/sys/class/block/${real##*/}/dev")"'
    found = '{ for (i = 7; $i != "-"; i++); } $3 == numbers || $(i + 2) == real { print $5 }'
    return (
        f"real=$(readlink -f {shlex.quote(one.device)}) && "
        f"awk -v numbers={numbers} -v real=\"$real\" '{found}' /proc/self/mountinfo"
    )


def unmounted(one: Declared) -> Command:
    """Nothing has it open by its mount point."""
    mount = shlex.quote(one.mount)
    # As often as it is mounted there.
    return Command(
        f"while {{ {_mounts(one)} | grep -qxF {mount}; }}; do umount {mount} || exit 1; done",
        f"! {{ {_mounts(one)} | grep .; }}",
        about=f"{one.device} is not mounted at {one.mount}",
    )
