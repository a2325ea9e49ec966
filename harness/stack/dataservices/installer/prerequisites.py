"""What has to be so before anything is changed anywhere: this is the installer, it has a key, and all let it in."""

import errno
import shlex
import shutil
import socket
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..inventory.core import Inventory, Server
from ..plan.beginning import each
from ..plan.core import Check, Plan, Stage
from ..plan.module import Module

FOLDERS = {"scripts": 0o755, "credentials": 0o700, "logs": 0o700, "tmp": 0o700, "inventory": 0o755}
_PACKAGE = __package__.rpartition(".")[0]


class PrerequisiteMissing(Exception):
    """This machine cannot install anything; the message has a line for each reason."""


def require(inventory: Inventory, key: Path) -> None:
    """Raises PrerequisiteMissing."""
    if missing := [*_missing(inventory.installer, key)]:
        raise PrerequisiteMissing("\n".join(missing))


def _missing(installer: Server, key: Path) -> Iterator[str]:
    if not _has(installer.address):
        yield f"this machine has not the address {installer.address}: call it on the installer, {installer.name}"
    if shutil.which("ssh") is None:
        yield "there is no ssh: apt-get install openssh-client"
    try:
        # ssh refuses such a key as well, and says so only for the first server.
        if stat.S_IMODE(key.stat().st_mode) & 0o077:
            yield f"{key} can be read by others: chmod 600 {key}"
    except OSError as error:
        yield f"{key}: {error.strerror}: make one with ssh-keygen -t ed25519, or name it with --key"


def _has(address: str) -> bool:
    """Whether an address is this machine's own: nobody may send from another one."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as trial:
        try:
            trial.bind((address, 0))
        except OSError as error:
            if error.errno != errno.EADDRNOTAVAIL:
                raise
            return False
    return True


def reached(servers: Sequence[Server]) -> Plan:
    """Each lets the installer in, as root, and is a system that modules can be installed on."""
    check = Check("id -u | grep -qx 0 && command -v apt-get dpkg-query systemctl", 0, about="reached, as root")
    return Plan("prerequisites", (Stage("servers are reached", each(servers, (check,))),))


def make_folders(home: Path, modules: Sequence[Module]) -> None:
    """All folders of the installer, with their modes; and a script for each thing that it is called for."""
    for name, mode in FOLDERS.items():
        folder = home / name
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(mode)
    program = _program()
    calls = {"00_cleanup": "cleanup", "00_install": "install"}
    calls |= {f"{one.number:02}_{one.name}": f"install --module {one.name}" for one in modules}
    for name, words in calls.items():
        script = home / "scripts" / f"{name}.sh"
        text = f'#!/bin/sh\n# Written by keyservices.\nexec {program} --home {shlex.quote(str(home))} {words} "$@"\n'
        if not script.exists() or script.read_text(encoding="utf-8") != text:
            script.write_text(text, encoding="utf-8")
        script.chmod(0o755)


def _program() -> str:
    """How this program is called from anywhere."""
    if found := shutil.which("keyservices"):
        return shlex.quote(found)
    root = Path(__file__).parents[_PACKAGE.count(".") + 2]
    return shlex.join(["env", f"PYTHONPATH={root}", sys.executable, "-m", _PACKAGE])
