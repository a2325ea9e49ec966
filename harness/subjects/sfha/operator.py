"""What an operator of sfha does to a node that runs, and how that is seen by more than what sfha says of itself."""

import tempfile
from functools import cache
from pathlib import Path

from harness.engines.engine import NodeFile
from harness.packaging.debian import build
from harness.subjects.subject import OperatorAction, Told

_CONFIG = "/etc/sfha/config.yml"
_MESH = "/etc/sfha/mesh.json"
_CHECK = "edited-by-operator"
_TOUCHED = "/run/harness-edited"
# The same file again when it is undone: what is read and written as YAML is the document, not its layout.
_EDIT = f"""
import os, sys, yaml
path, wanted = {_CONFIG!r}, sys.argv[1] == "add"
config = yaml.safe_load(open(path))
checks = [one for one in config.pop("health_checks", []) if one["name"] != {_CHECK!r}]
if wanted:
    checks.append({{"name": {_CHECK!r}, "type": "command", "target": "/usr/bin/touch {_TOUCHED}", "interval_ms": 500}})
if checks:
    config["health_checks"] = checks
with open(path + ".new", "w") as new:
    yaml.safe_dump(config, new, sort_keys=False)
os.replace(path + ".new", path)
"""
_RELOADS = 'python3 -c "$1" "$2" && /usr/bin/sfha reload'
_SAYS = f"grep -q {_CHECK} {_CONFIG}"
_RUNS = f'[ -n "$(find {_TOUCHED} -newermt "-2 seconds" 2> /dev/null)" ]'

# Removed and added. A mark on the disk tells what was begun, so that whoever takes it back when the operator is dead
# neither forgets a node that is just leaving, nor touches one that never was told to.
_TOKEN = ("sh", "-c", "/usr/bin/sfha token 2> /dev/null")
_LEFT, _JOINED = "/var/lib/harness-left", "/var/lib/harness-joined"
_LEAVE = f"touch {_LEFT}; /usr/bin/sfha leave || {{ code=$?; [ $code = 3 ] || {{ rm -f {_LEFT}; exit $code; }}; }}"
_ENDS = "for _ in $(seq 150); do {ended} && break; sleep 0.1; done"
_JOIN_AGAIN = f"""
{_ENDS.format(ended=f"[ ! -e {_MESH} ]")}
[ -e {_MESH} ] || /usr/bin/sfha join "$1" && rm -f {_LEFT}
"""
_JOIN = f'touch {_JOINED}; /usr/bin/sfha join "$1" || {{ rm -f {_JOINED}; exit 1; }}'
_LEAVE_AGAIN = f"""
[ -e {_JOINED} ] || exit 0
{_ENDS.format(ended="! pgrep -f '[s]fha join' > /dev/null")}
[ ! -e {_MESH} ] || /usr/bin/sfha leave || [ $? = 3 ] && rm -f {_JOINED}
"""
_STOPPED = "! pgrep -x corosync > /dev/null && ! ip link show wg-sfha > /dev/null 2>&1"
_RUNS_AS_MEMBER = f"[ -e {_MESH} ] && pgrep -x corosync > /dev/null && ip link show wg-sfha > /dev/null 2>&1"
_CAN_TELL = "corosync-quorumtool -s 2> /dev/null | grep -q '^Quorate: *Yes' || exit 3; "
_LISTS = "corosync-cmapctl nodelist.node | grep -q 'name (str) = {node}$'"

# Upgraded: by two packages of the source as it is, so that what changes is what a package changes.
_FORMER, _NEWER = "0.0.1", "99.0"
_PACKAGES = "/root/sfha-{version}.deb"
_INSTALL = "dpkg --install {package} > /dev/null"
_VERSION = "dpkg-query --showformat '${Version}' --show sfha 2> /dev/null"
_IS_NEWER = f'[ "$({_VERSION})" = {_NEWER} ]'
# A daemon makes its socket when it begins: one older than what dpkg has written is the program of before.
_BEGAN_SINCE = "[ /run/sfha/control.sock -nt /var/lib/dpkg/info/sfha.list ]"


def operator_actions(node: str, addresses: tuple[str, ...], *, member: bool) -> tuple[OperatorAction, ...]:
    """On a node of a cluster that has these virtual addresses; what can be done hangs on whether it is a member."""
    holds = " || ".join(f"ip -o address show to {address} | grep -q ." for address in addresses) or "false"
    return (*_of_member(node, holds), _UPGRADE) if member else (_joining(node),)


def _of_member(node: str, holds: str) -> tuple[OperatorAction, ...]:
    stands_by = f"corosync-cmapctl -g sfha.standby 2> /dev/null | grep -q '= 1' && ! {{ {holds}; }}"
    return (
        OperatorAction(
            name="standby",
            about="the node holds nothing, and nobody elects it, until `sfha unstandby`",
            do=("/usr/bin/sfha", "standby"),
            undo=("/usr/bin/sfha", "unstandby"),
            seen=("sh", "-c", stands_by),
        ),
        OperatorAction(
            name="edit",
            about="config.yml gets a health check more, and is reloaded: whoever has the address runs it",
            do=("sh", "-c", _RELOADS, "sh", _EDIT, "add"),
            undo=("sh", "-c", f"{_RELOADS} && rm -f {_TOUCHED}", "sh", _EDIT, "remove"),
            seen=("sh", "-c", f"{_SAYS} && {{ ! {{ {holds}; }} || {_RUNS}; }}"),
        ),
        OperatorAction(
            name="leave",
            about="`sfha leave`, until it joins again by a token of another node: with a new id, and so as the last in "
            "the order of nodes",
            do=("sh", "-c", _LEAVE),
            undo=Told(("sh", "-c", _JOIN_AGAIN, "sh"), _TOKEN, unless=("test", "!", "-e", _LEFT)),
            seen=("sh", "-c", f"[ ! -e {_MESH} ] && {_STOPPED}"),
            elsewhere=("sh", "-c", f"{_CAN_TELL}! {_LISTS.format(node=node)}"),
        ),
    )


def _joining(node: str) -> OperatorAction:
    return OperatorAction(
        name="join",
        about="a node that is none of the cluster's (setting `apart`) joins by a token of another, until `sfha leave`",
        do=Told(("sh", "-c", _JOIN, "sh"), _TOKEN, unless=("test", "-e", _MESH)),
        undo=("sh", "-c", _LEAVE_AGAIN),
        seen=("sh", "-c", _RUNS_AS_MEMBER),
        elsewhere=("sh", "-c", f"{_CAN_TELL}{_LISTS.format(node=node)}"),
    )


@cache
def _packages() -> tuple[NodeFile, ...]:
    """Of before and after; they are built once."""
    with tempfile.TemporaryDirectory(prefix="harness-packages-") as folder:
        return tuple(
            NodeFile(_PACKAGES.format(version=one), build("sfha", Path(folder), one).read_bytes())
            for one in (_FORMER, _NEWER)
        )


_TO_NEWER = " && ".join(_INSTALL.format(package=_PACKAGES.format(version=one)) for one in (_FORMER, _NEWER))
_UPGRADE = OperatorAction(
    name="upgrade",
    about="a later package of sfha is installed over the one that is there: its daemon begins anew, its Corosync goes "
    "on; until the one of before is installed again",
    do=("sh", "-c", _TO_NEWER),
    undo=("sh", "-c", f"! {_IS_NEWER} || {_INSTALL.format(package=_PACKAGES.format(version=_FORMER))}"),
    seen=("sh", "-c", f"{_IS_NEWER} && {_BEGAN_SINCE}"),
    files=_packages,
)
