"""The kernel that is a program, and its modules, as Debian packages them."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harness.engines.packages import ensure_packages
from harness.errors import HostError

NAME = "uml"
PACKAGES = ("user-mode-linux", "e2fsprogs")
"""The kernel; and what makes and mounts its disks."""
VARIABLE = "HARNESS_UML"
"""Environment variable that names the kernel's program to be used instead of Debian's."""
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_MODULES = Path("/usr/lib/uml/modules")
_BY_DEVICE, _BY_BRIDGE = "CONFIG_NF_TABLES_NETDEV", "CONFIG_NF_TABLES_BRIDGE"
_HOW = "harness engine install uml"


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel of this host."""

    program: Path
    modules: Path
    """Of each version a directory."""


def why_not() -> str | None:
    """What keeps nodes from having kernels of their own here, and how to get it; None when nothing does."""
    try:
        find_kernel()
    except HostError as error:
        return str(error)
    if not Path("/dev/net/tun").exists():
        return "no /dev/net/tun: modprobe tun; in a container: give it that device"
    if not Path("/dev/loop-control").exists():
        return "no /dev/loop-control: modprobe loop; in a container: give it the loop devices"
    return None


def why_no_gate() -> str | None:
    """What keeps such a kernel from guarding addresses by nftables; None when nothing does."""
    if _offers(_BY_DEVICE) or _offers(_BY_BRIDGE):
        return None
    lacks = f"neither {_BY_DEVICE} nor {_BY_BRIDGE} is set"
    return f"it has a lease that the kernel enforces, which the kernel of the engine {NAME} cannot ({lacks})"


def guards_bridges_alone() -> bool:
    """Whether the kernel guards what is on a bridge, and nothing else: then a node's interface is to be one."""
    return _offers(_BY_BRIDGE) and not _offers(_BY_DEVICE)


def _offers(option: str) -> bool:
    return re.search(rf"^{option}=[ym]$", _configuration(find_kernel().program), re.MULTILINE) is not None


@cache
def _configuration(program: Path) -> str:
    command = [str(program), "--showconfig"]
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL).stdout


def install(say: Callable[[str], None]) -> None:
    """Install it from Debian. HostError, with the log's end, on failure."""
    try:
        installed = bool(find_kernel())
    except HostError:
        installed = False
    ensure_packages(NAME, PACKAGES, installed=installed, say=say)


def find_kernel() -> Kernel:
    """The kernel of this host, and what its disks need. HostError, naming the remedy, where something is lacking."""
    path = f"{os.environ.get('PATH', '')}:{_PATH}"
    chosen = os.environ.get(VARIABLE)
    program = shutil.which(chosen or "linux.uml", path=path)
    if program is None and chosen:
        raise HostError(f"${VARIABLE} ({chosen}) is no program: unset it, or name a kernel")
    if program is None:
        raise HostError(f"User-Mode Linux is not installed: {_HOW}")
    if shutil.which("mke2fs", path=path) is None:
        raise HostError(f"mke2fs is not installed: {_HOW}")
    if not _MODULES.is_dir():
        raise HostError(f"the kernel's modules are not in {_MODULES}: {_HOW}")
    return Kernel(Path(program), _MODULES)
