"""What this host can run, tried out rather than looked up.

Whatever needs a kernel feature tries it in namespaces of a child, which end with the child.
"""

import json
import os
import platform
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from harness.engines.daemons import KINDS, VARIABLES, chosen_daemon, why_not
from harness.engines.pools import PACKAGE, lacks_program
from harness.engines.uml import kernel
from harness.errors import HostError
from harness.procfs import host_memory_bytes
from harness.rundir import cache_directory

TRY_TIMEOUT_S = 1.5
CAPABILITIES = {"CAP_NET_ADMIN": 12, "CAP_NET_RAW": 13, "CAP_SYS_ADMIN": 21, "CAP_SYS_RESOURCE": 24}
GIGABYTE = 1e9


class State(StrEnum):
    """How well this host does in one respect."""

    OK = "ok"
    DEGRADED = "degraded"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Finding:
    """One respect: what was found, what follows when it is not ok, and how to get it."""

    topic: str
    name: str
    state: State
    found: str
    follows: str = ""
    remedy: str = ""
    essential: bool = False
    """The local engine cannot run without it."""

    @property
    def blocks(self) -> bool:
        """Whether this keeps the local engine from running."""
        return self.essential and self.state is State.MISSING


@dataclass(frozen=True, slots=True)
class Attempt:
    """A kernel feature, tried by a shell command in throw-away network and mount namespaces."""

    name: str
    command: str
    follows: str
    remedy: str
    essential: bool = False
    without: State = State.MISSING


VETH = "ip link add end0 type veth peer name end1 && ip link set end0 up"
ATTEMPTS = (
    Attempt("veth", VETH, "nodes cannot be plugged in", "modprobe veth", essential=True),
    Attempt("bridge", "ip link add end0 type bridge", "no sites", "modprobe bridge", essential=True),
    Attempt(
        "nftables, bridge family",
        "nft 'add table bridge t; add chain bridge t c { type filter hook forward priority -200; policy accept; }; "
        'add rule bridge t c meta iifname . meta oifname { "end0" . "end1" } counter drop\'',
        "no cuts and partitions",
        "modprobe nf_tables (kernel with CONFIG_NF_TABLES_BRIDGE)",
        essential=True,
    ),
    Attempt(
        "nftables, netdev ingress",
        VETH
        + " && nft 'add table netdev t; add chain netdev t c { type filter hook ingress device end0 priority 0; }'",
        "the stack's VIP lease cannot be enforced by the kernel",
        "kernel with CONFIG_NF_TABLES_NETDEV",
        essential=True,
    ),
    Attempt(
        "nftables, netdev egress",
        VETH + " && nft 'add table netdev t; add chain netdev t c { type filter hook egress device end0 priority 0; }'",
        "the VIP lease is enforced on what comes in, and only coarsely on what goes out",
        "kernel 5.16 or newer with CONFIG_NETFILTER_EGRESS",
        without=State.DEGRADED,
    ),
    Attempt(
        "nftables, forwarding at netdev egress",
        VETH
        + " && nft 'add table netdev t; add chain netdev t c "
        + '{ type filter hook egress device "end0" priority 0; }; add rule netdev t c fwd to "end1"\'',
        "no links with a character, and none of the faults delay, jitter, reorder, duplicate, corrupt, rate and link",
        "kernel 5.18 or newer with CONFIG_NFT_FWD_NETDEV",
        without=State.DEGRADED,
    ),
    Attempt(
        "netem",
        VETH + " && tc qdisc add dev end0 root netem delay 1ms",
        "links get their character from a relay of ours",
        "modprobe sch_netem (on Debian: linux-image-amd64, not the cloud kernel)",
        without=State.DEGRADED,
    ),
    Attempt(
        "tun",
        "ip tuntap add mode tap name end0",
        "no wireguard-go",
        "modprobe tun; in a container: give it /dev/net/tun",
        without=State.DEGRADED,
    ),
    Attempt(
        "wireguard in the kernel",
        "ip link add end0 type wireguard",
        "nodes use wireguard-go, which costs more processor time",
        "modprobe wireguard (kernel 5.6 or newer)",
        without=State.DEGRADED,
    ),
)


def examine() -> tuple[Finding, ...]:
    """Everything there is to say about this host; takes under 2 s and leaves nothing behind."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        tried = [pool.submit(_try, attempt) for attempt in ATTEMPTS]
        overlay = pool.submit(_overlay)
        engines = pool.submit(lambda: tuple(_engines()))
        findings = [*_rights(), *engines.result(), overlay.result(), *(each.result() for each in tried)]
    return (*findings, *_cgroups(), *_resources())


def can_run_local(findings: Sequence[Finding]) -> bool:
    """Whether the local engine can run here."""
    return not any(finding.blocks for finding in findings)


def as_json(findings: Sequence[Finding]) -> str:
    """The findings for programs."""
    return json.dumps(
        {"local_engine": can_run_local(findings), "findings": [asdict(finding) for finding in findings]}, indent=2
    )


def _rights() -> Iterator[Finding]:
    root = os.geteuid() == 0
    yield Finding(
        "rights", "root", State.OK if root else State.MISSING, "yes" if root else f"user {os.geteuid()}",
        "nodes and networks cannot be made", "run it by sudo", essential=True,
    )  # fmt: skip
    effective = int(re.findall(r"^CapEff:\s*(\w+)", Path("/proc/self/status").read_text(), re.MULTILINE)[0], 16)
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    limits = f"limits of nodes stay under this host's (open files {limit})"
    for name, bit in CAPABILITIES.items():
        has = bool(effective >> bit & 1)
        optional = name == "CAP_SYS_RESOURCE"
        yield Finding(
            "rights", name, State.OK if has else State.DEGRADED if optional else State.MISSING, "yes" if has else "no",
            limits if optional else "the local engine cannot run",
            "start this container with that capability", essential=not optional,
        )  # fmt: skip


def _engines() -> Iterator[Finding]:
    runc, crun = _version("runc"), _version("crun")
    yield Finding(
        "engines", "local (runc or crun)", State.OK if runc or crun else State.MISSING,
        ", ".join(filter(None, (runc, crun))) or "neither is installed",
        "the local engine cannot run", "apt-get install runc", essential=True,
    )  # fmt: skip
    for kind in KINDS:
        reason = why_not(kind)
        found, _, remedy = (reason or f"answers at {chosen_daemon(kind).socket}").partition(": ")
        yield Finding(
            "engines", kind, State.MISSING if reason else State.OK, found, f"the {kind} engine cannot be used",
            remedy or f"start that daemon, or unset {VARIABLES[kind]}",
        )  # fmt: skip
    reason = kernel.why_not()
    found, _, remedy = (reason or f"{kernel.find_kernel().program}").partition(": ")
    yield Finding(
        "engines", "uml (kernels of their own)", State.MISSING if reason else State.OK, found,
        "no power cut shows what is lost that was not synced", remedy,
    )  # fmt: skip
    lacks, loops = lacks_program(), Path("/dev/loop-control").exists()
    yield Finding(
        "engines", "lxd's disks by snapshot", State.DEGRADED if lacks or not loops else State.OK,
        f"{PACKAGE} is not installed" if lacks else "possible" if loops else "no /dev/loop-control",
        "the lxd engine copies the whole image for every node: seconds, and both cores",
        "harness engine install lxd" if lacks else "modprobe loop; in a container: give it the loop devices",
    )  # fmt: skip


def _overlay() -> Finding:
    """Overlay file systems as nodes use them: with the writable part in the cache directory."""
    place = _cache()
    if isinstance(place, Finding):
        return place
    follows, remedy = "nodes have no disks", f"set HARNESS_CACHE to a directory on ext4, xfs or btrfs (now on {place})"
    try:
        with tempfile.TemporaryDirectory(prefix=".harness-doctor-", dir=place) as folder:
            options = ",".join(f"{kind}={folder}/{kind}" for kind in ("lowerdir", "upperdir", "workdir"))
            command = (
                f"mkdir {folder}/lowerdir {folder}/upperdir {folder}/workdir {folder}/m && "
                f"mount -t overlay overlay -o {options} {folder}/m && touch {folder}/m/x"
            )
            problem = _isolated(command)
    except OSError as error:
        problem = str(error)
    state = State.OK if problem is None else State.MISSING
    return Finding("kernel", "overlayfs in the cache", state, problem or "works", follows, remedy, essential=True)


def _cache() -> Path | Finding:
    """Where the cache is, or could be made; or what to say when there is no place for one."""
    try:
        return _existing(cache_directory())
    except HostError as error:
        found, _, remedy = str(error).partition(": ")
        return Finding("kernel", "overlayfs in the cache", State.MISSING, found, "no images", remedy, essential=True)


def _try(attempt: Attempt) -> Finding:
    problem = _isolated(attempt.command)
    return Finding(
        "kernel", attempt.name, State.OK if problem is None else attempt.without, problem or "works",
        attempt.follows, attempt.remedy, attempt.essential,
    )  # fmt: skip


def _isolated(command: str) -> str | None:
    """Run a shell command in namespaces of its own; None when it worked, else what it said."""
    # Without root, a user namespace still tells what the kernel has.
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    try:
        done = subprocess.run(
            ["unshare", *user, "--net", "--mount", "--propagation", "private", "--", "sh", "-c", command],
            capture_output=True, text=True, check=False, timeout=TRY_TIMEOUT_S, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except FileNotFoundError:
        return "unshare is not installed (apt-get install util-linux)"
    except subprocess.TimeoutExpired:
        return f"no answer in {TRY_TIMEOUT_S} s"
    if done.returncode == 0:
        return None
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    return lines[0] if lines else f"exit code {done.returncode}"


def _cgroups() -> Iterator[Finding]:
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    freezers = [m[1] for m in mounts if m[2] == "cgroup" and "freezer" in m[3].split(",")]
    unified = [m[1] for m in mounts if m[2] == "cgroup2"]
    kind = "version 1 and 2 (hybrid)" if freezers and unified else "version 1" if freezers else "version 2"
    if not freezers and not unified:
        yield Finding("kernel", "cgroups", State.MISSING, "none mounted", "no nodes", "mount cgroup2", essential=True)
        return
    parent, file = (freezers[0], "freezer.state") if freezers else (unified[0], "cgroup.freeze")
    group = Path(parent) / f"harness-doctor-{os.getpid()}"
    try:
        group.mkdir()
        has_freezer = (group / file).exists()
        group.rmdir()
        problem = None if has_freezer else f"no {file}"
    except OSError as error:
        problem = f"{error.strerror}: {group.parent}"
    yield Finding(
        "kernel", f"cgroups, {kind}", State.MISSING if problem else State.OK, problem or "can be made and frozen",
        "nodes can be neither started nor frozen",
        "run as root; in a container: mount the cgroup file system writable", essential=True,
    )  # fmt: skip
    nbd = Path("/sys/block/nbd0").exists()
    yield Finding(
        "kernel", "nbd", State.OK if nbd else State.DEGRADED, "there" if nbd else "no /dev/nbd0",
        "no network block devices for storage scenarios", "modprobe nbd",
    )  # fmt: skip


def _resources() -> Iterator[Finding]:
    place = _cache()
    if isinstance(place, Path):
        free = shutil.disk_usage(place).free / GIGABYTE
        yield _amount(
            "disk at the cache", free, f"{free:.1f} GB free at {place}", (1.0, 3.0), "free some, or set HARNESS_CACHE"
        )
    memory = host_memory_bytes("MemAvailable") / GIGABYTE
    yield _amount("memory", memory, f"{memory:.1f} GB available", (0.5, 1.5), "end other programs")
    cores = len(os.sched_getaffinity(0))
    yield _amount("cores", cores, f"{cores}", (1, 2), "give this machine more")
    version = platform.python_version()
    yield Finding("resources", "python", State.OK, f"{version} ({sys.executable})")


def _amount(name: str, have: float, found: str, enough: tuple[float, float], remedy: str) -> Finding:
    needed, comfortable = enough
    state = State.MISSING if have < needed else State.DEGRADED if have < comfortable else State.OK
    follows = f"too little for three nodes (at least {needed:g}, better {comfortable:g})"
    return Finding("resources", name, state, found, follows, remedy, essential=True)


def _existing(path: Path) -> Path:
    # Not Path.is_dir, which raises for what this user may not look into.
    return next(each for each in (path, *path.parents) if os.path.isdir(each))  # noqa: PTH112


def _version(program: str) -> str | None:
    path = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin")
    if path is None:
        return None
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False, timeout=TRY_TIMEOUT_S)
    words = re.findall(r"version\s+(\S+)", done.stdout)
    return f"{program} {words[0]}" if words else program
