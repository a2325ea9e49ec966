"""The kernel's modules."""

import ctypes
import errno
import os

from .system import HOME, MODULES, Refused, libc, make_directories, read_file, write_file

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
    directory = f"{MODULES}/{os.uname().release}"
    wanted = name.replace("-", "_")
    needs: dict[str, list[str]] = {}
    for line in read_file(f"{directory}/modules.dep").splitlines():
        path, _, others = line.partition(":")
        needs[path] = others.split()
    by_name = {_module_name(path): path for path in needs}
    if wanted not in by_name:
        if any(_module_name(path) == wanted for path in read_file(f"{directory}/modules.builtin").split()):
            return
        import fnmatch

        aliases = (line.split() for line in read_file(f"{directory}/modules.alias").splitlines())
        wanted = next((row[2] for row in aliases if row[:1] == ["alias"] and fnmatch.fnmatchcase(name, row[1])), "")
    if wanted not in by_name:
        raise Refused(f"this kernel ({os.uname().release}) has no module {name}")
    path = by_name[wanted]
    for one in (*reversed(needs[path]), path):
        _insert(f"{directory}/{one}")


def _module_name(path: str) -> str:
    return path.rpartition("/")[2].partition(".")[0].replace("-", "_")


def _insert(module: str) -> None:
    descriptor = os.open(module, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.syscall(_FINIT_MODULE, descriptor, b"", 0) < 0 and ctypes.get_errno() != errno.EEXIST:
            raise Refused(f"module {module}: {os.strerror(ctypes.get_errno())}")
    finally:
        os.close(descriptor)
