"""The command that starts a node's kernel, in namespaces of its own, with its disk, its memory and its tap devices."""

from pathlib import Path

from harness.engines.uml.disk import KernelDisk, lock_of
from harness.engines.uml.guest.links import ADDRESS, HOST_ADDRESS, MAC, PREFIX_LENGTH
from harness.engines.uml.guest.system import HOME, MODULES
from harness.engines.uml.kernel import Kernel

UMID = "kernel"
"""What the kernel is called: the directory of its management console, in that of its node."""
MEMORY_MB = 512
BRIDGE, TAP = "cable", "tap0"
"""In the network namespace of the node's kernel: what the cable is plugged into, and from there leads to the kernel.

The tap is always up, whatever becomes of the cable: a kernel whose packets it refuses never receives again.
"""
_NICENESS = -10
"""Of the whole node. A kernel that waits behind what else the host does is late with everything its programs promised.

Where sessions share the processor, that of the session counts (sched(7)); the kernel would make itself one of its own.
"""
_QUICK = ("pty.legacy_count=0", "initcall_blacklist=raid6_select_algo")
"""Two thirds of the kernel's boot: terminals of a kind that nobody uses, and how quick each way of RAID 6 would be."""
# In namespaces of its own, below their first process: a kernel that panics ends itself by a signal, which a first
# process does not heed, and would compute for ever. $1 options, $2 place of the view of the image, $3 modules, $4 place
# for the memory, $5 lock of the disk, then the kernel's command line. The neighbour may be there already: who tries to
# reach the agent from the first moment on has asked for it.
_LAUNCH = f"""set -e
mount -t overlay overlay -o "$1" "$2"
mount --bind "$3" "$2{MODULES}"
mount -t tmpfs -o mode=700 tmpfs "$4"
exec 9>> "$5"
flock 9
echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6 2> /dev/null || :
ip -batch - << 'END'
tuntap add mode tap name control
address add {HOST_ADDRESS}/{PREFIX_LENGTH} dev control
link set control up
neighbour replace {ADDRESS} lladdr {MAC} dev control nud permanent
link add {BRIDGE} up type bridge stp_state 0 mcast_snooping 0
tuntap add mode tap name {TAP}
link set {TAP} up master {BRIDGE}
END
export TMPDIR="$4"
ulimit -c 0
shift 5
setsid /bin/sh -c 'echo {_NICENESS} > /proc/self/autogroup 2> /dev/null; exec "$@"' sh "$@" || exit $?
"""


def launch_line(kernel: Kernel, disk: KernelDisk, bundle: Path, processor: int) -> list[str]:
    """The command. ``bundle`` is the node's directory, and has to be its working directory.

    All of the node runs on one processor: the kernel has no use for two, and each of its calls is a change from one
    process of the host to another and back, which between processors takes twice as long.
    """
    memory = bundle / "memory"
    memory.mkdir(exist_ok=True)
    first = ["taskset", "--cpu-list", str(processor), "nice", "-n", str(_NICENESS)]
    isolated = [*first, "unshare", "--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child"]
    launch = [*isolated, "--propagation", "private", "/bin/sh", "-c", _LAUNCH, "sh"]
    places = map(str, (disk.lower, kernel.modules, memory, lock_of(disk.medium)))
    return [*launch, disk.lower_options(), *places, *_kernel_line(kernel, disk)]


def _kernel_line(kernel: Kernel, disk: KernelDisk) -> list[str]:
    return [
        *(str(kernel.program), f"umid={UMID}", "uml_dir=./", f"mem={MEMORY_MB}M"),
        *("root=/dev/root", "rootfstype=hostfs", f"rootflags={disk.lower}", "ro", "quiet"),
        *(f"ubd0={disk.medium}", f"vec0:transport=tap,ifname=control,depth=64,gro=1,mac={MAC}"),
        *_QUICK,
        *("con0=null,fd:1", "con=null", "ssl=null", f"init={HOME}/init"),
    ]
