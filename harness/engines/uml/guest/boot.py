"""From the kernel's first process to the node's.

It begins on a read-only view of the image, puts the node's disk over that and mounts what a node has.
"""

import _socket
import os

from . import mapper
from .agent import serve
from .links import listen, set_up
from .modules import load_modules, offer_modules
from .system import SETTINGS, WAITS_FOR_CABLE, check, libc, make_directories, write_file
from .wire import decode

_MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 2, 4, 8
_MNT_DETACH = 2
_PIVOT_ROOT = 155


def main() -> None:
    """From the kernel's first process to the node's."""
    _mount("proc", "/proc", "proc")
    with open(SETTINGS, "rb") as stream:
        settings = decode(stream.read())
    load_modules(("overlay",))
    _mount(mapper.begin(), "/mnt", "ext4", data="noinit_itable")
    _mount("overlay", "/mnt/root", "overlay", data="lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work")
    check(libc.syscall(_PIVOT_ROOT, b"/mnt/root", b"/mnt/root/mnt"), "change the root")
    os.chdir("/")
    _mount("proc", "/proc", "proc", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
    check(libc.umount2(b"/mnt", _MNT_DETACH), "let go of the image")
    _mount_everything(settings["shm_bytes"])
    _console()
    os.umask(0o022)
    os.environ.clear()
    os.environ.update(settings["environment"])
    _socket.sethostname(settings["hostname"])
    offer_modules()
    load_modules(settings["modules"])
    for name, value in settings["sysctls"].items():
        try:
            write_file("/proc/sys/" + name.replace(".", "/"), value)
        except OSError:  # a kernel without it
            continue
    _limit_files(settings["nofile"])
    any_socket = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM)
    set_up(any_socket, "lo")
    any_socket.close()
    os.mkfifo(WAITS_FOR_CABLE)
    listener = listen()
    if os.fork() == 0:
        serve(listener)
        os._exit(1)
    listener.close()
    os.execv(settings["process_1"][0], settings["process_1"])


def _mount(source: str, target: str, kind: str, flags: int = 0, data: str = "") -> None:
    result = libc.mount(source.encode(), target.encode(), kind.encode(), flags, data.encode())
    check(result, f"mount {kind} on {target}")


def _mount_everything(shm_bytes: int) -> None:
    safe = _MS_NOSUID | _MS_NODEV
    _mount("sysfs", "/sys", "sysfs", safe | _MS_NOEXEC)
    _mount("devtmpfs", "/dev", "devtmpfs", _MS_NOSUID)
    for name in ("pts", "shm", "mqueue"):
        make_directories(f"/dev/{name}")
    _mount("devpts", "/dev/pts", "devpts", _MS_NOSUID | _MS_NOEXEC, "ptmxmode=0666,mode=0620,gid=5")
    _mount("tmpfs", "/dev/shm", "tmpfs", safe, f"mode=1777,size={shm_bytes}")
    _mount("mqueue", "/dev/mqueue", "mqueue", safe | _MS_NOEXEC)
    _mount("tmpfs", "/run", "tmpfs", safe, "mode=755")
    _mount("tmpfs", "/tmp", "tmpfs", safe, "mode=1777")
    for name, target in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        if not os.path.lexists(f"/dev/{name}"):
            os.symlink(f"/proc/self/{target}", f"/dev/{name}")


def _console() -> None:
    console = os.open("/dev/console", os.O_RDWR)
    for number in range(3):
        os.dup2(console, number)
    if console > 2:
        os.close(console)


def _limit_files(wanted: int) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
