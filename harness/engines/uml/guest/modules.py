"""The kernel's modules."""

import ctypes
import errno
import os

from .system import HOME, MODULES, Refused, libc, make_directories, read_file, write_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_FINIT_MODULE = 313


def offer_modules() -> None:
    """Have the kernel find its modules: by kmod(8) where the image has it, by this program where not."""
    release = os.uname().release
    place = f"/lib/modules/{release}"
    if not os.path.lexists(place):
        make_directories("/lib/modules")
        os.symlink(f"{MODULES}/{release}", place)
    if not os.path.exists("/sbin/modprobe"):
        write_file("/proc/sys/kernel/modprobe", f"{HOME}/modprobe")


def load_module(name: str) -> None:
    """Load a module, by its name or an alias of it, and what it needs. Refused when the kernel has none."""
    load_modules((name,))


def load_modules(names: "Iterable[str]") -> None:
    """Load several, having looked only once for where they are."""
    directory = f"{MODULES}/{os.uname().release}"
    table = read_file(f"{directory}/modules.dep")
    for name in names:
        files = _files_of(table, name) or _files_of(table, _by_alias(directory, name))
        if not files and not _is_built_in(directory, name):
            raise Refused(f"this kernel ({os.uname().release}) has no module {name}")
        for file in files:
            _insert(f"{directory}/{file}")


def _files_of(table: str, name: str) -> list[str]:
    """The files of a module, in the order in which they are to be loaded; none when there is no such module."""
    # By searches in the whole text: it has thousands of lines, and taking it apart would be most of a node's boot.
    plain, at = table.replace("-", "_"), -1
    while name and (at := plain.find(f"/{name.replace('-', '_')}.ko", at + 1)) >= 0:
        begin, end = plain.rfind("\n", 0, at) + 1, plain.find("\n", at)
        path, _, needs = table[begin : end if end >= 0 else None].partition(":")
        if begin + len(path) > at:
            return [*reversed(needs.split()), path]
    return []


def _by_alias(directory: str, name: str) -> str:
    """The module that an alias stands for; empty when nothing is called so."""
    table = read_file(f"{directory}/modules.alias")
    at = table.find(f"\nalias {name} ")
    if at >= 0:
        return table[at + 1 :].split(None, 3)[2]
    import fnmatch

    rows = (line.split() for line in table.splitlines() if "*" in line or "[" in line)
    return next((row[2] for row in rows if row[:1] == ["alias"] and fnmatch.fnmatchcase(name, row[1])), "")


def _is_built_in(directory: str, name: str) -> bool:
    return f"/{name.replace('-', '_')}.ko" in read_file(f"{directory}/modules.builtin").replace("-", "_")


def _insert(module: str) -> None:
    descriptor = os.open(module, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.syscall(_FINIT_MODULE, descriptor, b"", 0) < 0 and ctypes.get_errno() != errno.EEXIST:
            raise Refused(f"module {module}: {os.strerror(ctypes.get_errno())}")
    finally:
        os.close(descriptor)
