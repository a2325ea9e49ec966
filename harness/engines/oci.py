"""What an OCI runtime is told about a node (OCI runtime specification 1.0), and which runtime is used."""

import os
import resource
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harness.engines.cgroup import hierarchies
from harness.errors import HostError
from harness.events import Json

# linux/capability.h, in the order of their numbers.
# fmt: off
CAPABILITIES = (
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
    "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
    "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
    "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
    "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
    "CHECKPOINT_RESTORE",
)
# fmt: on
NOFILE = 65536
SHM_BYTES = 256 << 20
# The host's knobs that are not per node: a node must not turn them.
READ_ONLY = ("/proc/sys/kernel", "/proc/sys/vm", "/proc/sys/fs", "/proc/sysrq-trigger")
DEVICES = ("/dev/net/tun", "/dev/fuse")
PROCESS_1 = ("/usr/bin/tini", "--", "/bin/sh", "/usr/lib/harness-node/boot")
SYSTEM_INIT = ("/sbin/init",)
BASE_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
}


def process_1(image: Path) -> tuple[str, ...]:
    """What boots an image: the harness's boot script under tini, or, where there is no tini, the system's own init."""
    return PROCESS_1 if (image / PROCESS_1[0].lstrip("/")).exists() else SYSTEM_INIT


@dataclass(frozen=True, slots=True)
class Runtime:
    """An OCI runtime. ``preparation`` is run in the private mount namespace before it."""

    program: Path
    preparation: str = ""


@cache
def find_runtime() -> Runtime:
    """The runtime of this host: runc, else crun. Raises HostError naming the packages."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin:/sbin:/bin"
    if runc := shutil.which("runc", path=path):
        return Runtime(Path(runc))
    if crun := shutil.which("crun", path=path):
        found = hierarchies()
        hybrid = found.unified is not None and found.version1
        # crun takes a mounted version 2 hierarchy for the sign that version 1 is not to be used, and gives up.
        return Runtime(Path(crun), f"umount -l '{found.unified}'" if hybrid else "")
    raise HostError("no OCI runtime: install runc (apt-get install runc) or crun")


def capabilities() -> list[str]:
    """Every capability that this process may give away (its bounding set, capabilities(7))."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapBnd:"):
            mask = int(line.split()[1], 16)
            return [f"CAP_{name}" for number, name in enumerate(CAPABILITIES) if mask >> number & 1]
    raise HostError("/proc/self/status names no capabilities")


def capabilities_lacking() -> list[str]:
    """Every capability that this process may not give away, without the prefix ``CAP_``."""
    granted = capabilities()
    return [name for name in CAPABILITIES if f"CAP_{name}" not in granted]


def nofile_limit() -> int:
    """How many open files a process in a node may have; no more than this host allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return NOFILE if hard == resource.RLIM_INFINITY else min(NOFILE, hard)


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The environment of everything in a node."""
    return BASE_ENVIRONMENT | dict(extra)


def configuration(node: str, cgroup: str, root: Path, extra_environment: Mapping[str, str]) -> dict[str, Json]:
    """The content of config.json for a node whose root file system is mounted at ``root``."""
    nofile = nofile_limit()
    granted: list[Json] = list(capabilities())
    return {
        "ociVersion": "1.0.2",
        "hostname": node,
        "root": {"path": str(root)},
        "process": {
            "args": list(PROCESS_1),
            "cwd": "/",
            "env": [f"{name}={value}" for name, value in environment(extra_environment).items()],
            "user": {"uid": 0, "gid": 0},
            "capabilities": dict.fromkeys(("bounding", "effective", "permitted"), granted),
            "rlimits": [{"type": "RLIMIT_NOFILE", "hard": nofile, "soft": nofile}],
            "noNewPrivileges": False,
        },
        "mounts": _mounts(),
        "linux": {
            "cgroupsPath": f"/{cgroup}",
            "namespaces": [{"type": kind} for kind in ("pid", "mount", "uts", "ipc", "network", "cgroup")],
            "devices": [_device(path) for path in DEVICES if Path(path).exists()],
            "resources": {"devices": [{"allow": True, "access": "rwm"}]},
            "sysctl": dict(sysctls()),
            "readonlyPaths": list(READ_ONLY),
        },
    }


def _mounts() -> list[Json]:
    def tmpfs(path: str, *options: str) -> Json:
        return {"destination": path, "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "nodev", *options]}

    return [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=64k"]},
        {
            "destination": "/dev/pts",
            "type": "devpts",
            "source": "devpts",
            "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
        },
        tmpfs("/dev/shm", "mode=1777", f"size={SHM_BYTES}"),
        {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": ["nosuid", "noexec", "nodev"]},
        {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
        tmpfs("/run", "mode=755"),
        tmpfs("/tmp", "mode=1777"),
    ]


def _device(path: str) -> Json:
    number = os.stat(path).st_rdev
    kind = "c" if stat.S_ISCHR(os.stat(path).st_mode) else "b"
    return {"path": path, "type": kind, "major": os.major(number), "minor": os.minor(number), "fileMode": 0o666}


def sysctls() -> dict[str, str]:
    """Switches of a node's kernel, as far as this one has them."""
    # The stack announces addresses by itself, and a test of that must not be helped by the kernel.
    wanted = {"net.ipv4.conf.all.arp_notify": "0"}
    # Duplicate address detection would keep an IPv6 address unusable for a second after every plug.
    for name in ("net.ipv6.conf.all.accept_dad", "net.ipv6.conf.default.accept_dad"):
        wanted[name] = "0"
    return {name: value for name, value in wanted.items() if Path("/proc/sys", *name.split(".")).exists()}
