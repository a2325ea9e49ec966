"""What a volume loses by being a device, on a kernel that has NBD of its own (User-Mode Linux)."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

from harness.bench.clusters import started
from harness.bench.figures import Figure, markdown
from harness.cluster import Cluster
from harness.errors import HarnessError
from harness.subjects.found import subject_called
from harness.topology import Node, Site, Topology

METHOD = """\
One node with a kernel of its own (User-Mode Linux: one processor, 512 MB) and its own disk (ext4 on a sparse file of
the host). Three files of the same size, of chance: one stays a file (*the file*), one is served by nbdkit and attached
by nbd-client, called by hand with the same options (*native*), one is mapped by `mfs-autonomy map` (*mapped*). `dd`
reads and writes each past the page cache, 1 MiB at a time, writes end with a sync; of the three one run follows the
other, round by round, and the time is taken on the node. Mapped beside native is what `mfs-autonomy` itself costs, and
is what "overhead against native" means here; beside the file is what NBD costs, whoever attaches it. Figures of this
kernel say how the three compare, not how fast a host is."""
NODE, INDEX, WITHIN_S = "n1", 15, 300.0
ONE_NODE = Topology(name="one node", sites=(Site(name="dijon"),), nodes=(Node(name=NODE, site="dijon", id=1),))
FILE, NATIVE, MAPPED = "the file", "native", "mapped"
SECONDS = "s=$(date +%s%N); {work}; e=$(date +%s%N); echo $((e - s))"
BY_HAND = (
    "nbdkit -U /run/native.sock -P /run/native.pid --filter=limit file file={file} limit=1 && "
    "nbd-client -unix /run/native.sock /dev/nbd{index} -nonetlink -b 4096"
)
Say = Callable[[str], None]


class Failed(HarnessError):
    """A command on the node did not do what is measured."""


def run(directory: Path, say: Say, *, runs: int, size_mib: int) -> str:
    """The section; root, and the engine uml."""
    return markdown("Storage on a kernel with NBD", METHOD, asyncio.run(_measured(directory, say, runs, size_mib)))


async def _measured(directory: Path, say: Say, runs: int, size_mib: int) -> list[Figure]:
    subject = subject_called("mfs-autonomy")
    async with started("throughput", (subject,), directory, topology=ONE_NODE, engine="uml") as cluster:
        paths = await _prepared(cluster, size_mib, say)
        took_s: dict[tuple[str, str], list[float]] = {}
        for number in range(2 * runs):
            for way in ("read", "written"):
                for what, path in paths.items():
                    say(f"{what}, {way}: {number + 1} of {2 * runs}")
                    took_s.setdefault((way, what), []).append(await _passed_s(cluster, way, path, size_mib))
        await _said(cluster, f"mfs-autonomy unmap /srv/{MAPPED} && nbd-client -d /dev/nbd{INDEX}")
    return figures(took_s, size_mib)


async def _prepared(cluster: Cluster, size_mib: int, say: Say) -> Mapping[str, str]:
    """What -> where it is read and written."""
    say(f"making three files of {size_mib} MiB")
    await _said(cluster, "modprobe nbd")
    files = {what: f"/srv/{what.replace(' ', '-')}" for what in (FILE, NATIVE, MAPPED)}
    for path in files.values():
        await _said(cluster, f"dd if=/dev/urandom of={path} bs=1M count={size_mib} conv=fsync status=none")
    await _said(cluster, BY_HAND.format(file=files[NATIVE], index=INDEX))
    mapped = await _said(cluster, f"mfs-autonomy map {files[MAPPED]} --driver nbd-client")
    return {FILE: files[FILE], NATIVE: f"/dev/nbd{INDEX}", MAPPED: mapped.split(" -> ")[1].split()[0]}


async def _passed_s(cluster: Cluster, way: str, path: str, size_mib: int) -> float:
    read = f"if={path} of=/dev/null iflag=direct"
    written = f"if=/dev/zero of={path} oflag=direct conv=notrunc,fsync"
    work = f"dd {read if way == 'read' else written} bs=1M count={size_mib} status=none"
    return int((await _said(cluster, SECONDS.format(work=work))).split()[-1]) / 1e9


async def _said(cluster: Cluster, script: str) -> str:
    done = await cluster.engine.exec(NODE, ["sh", "-ec", script], timeout_s=WITHIN_S)
    if done.exit_code:
        raise Failed(f"{script[:60]} ended with {done.exit_code}: {(done.stderr or done.stdout).decode()[-300:]}")
    return done.stdout.decode()


def figures(took_s: Mapping[tuple[str, str], list[float]], size_mib: int) -> list[Figure]:
    """A row for each; of what is mapped, how much longer it took than the others."""
    rows = []
    for way, what in took_s:
        remark = ""
        if what == MAPPED:
            over = [_percent(took_s[way, MAPPED], took_s[way, other]) for other in (NATIVE, FILE)]
            remark = f"{over[0]:+.1f} % beside native, {over[1]:+.1f} % beside the file"
        rows.append(Figure(f"{size_mib} MiB, {way}: {what}", tuple(took_s[way, what]), remark))
    return rows


def _percent(one_s: list[float], other_s: list[float]) -> float:
    middles = [sorted(values)[len(values) // 2] for values in (one_s, other_s)]
    return 100 * (middles[0] / middles[1] - 1)
