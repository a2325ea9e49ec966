"""``harness up``, ``ps``, ``exec`` and ``down``: a cluster for a person to play with."""

import asyncio
import os
import secrets
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from harness.cluster import Cluster
from harness.design import ClusterDesign
from harness.engines.choice import ENGINES
from harness.errors import UsageError
from harness.images import image_called
from harness.keeper import Keeper
from harness.reap import reap
from harness.rundir import RunDirectory
from harness.software.choice import SOFTWARE, software_called
from harness.topology import Topology, load
from harness.upright import clusters, take_up, write_down

TOPOLOGIES = Path("fixtures/topologies")
_RUN_ID_BYTES = 3

cluster_option = click.option("--cluster", "run_id", help="Which cluster, when several are up (see harness ps).")


@click.command("up")
@click.argument("topology", default="three-sites")
@click.option("--engine", type=click.Choice(ENGINES), default="local", show_default=True, help="What runs the nodes.")
@click.option(
    "--image", default="node", show_default=True, help="A name in fixtures/images, a TOML file, or a directory."
)
@click.option(
    "--software",
    "names",
    multiple=True,
    default=("sfha", "etcd"),
    show_default=True,
    type=click.Choice(tuple(SOFTWARE)),
    help="What runs on the nodes; may be given several times.",
)
def up_command(topology: str, engine: str, image: str, names: tuple[str, ...]) -> None:
    """Start a cluster and leave it up.

    TOPOLOGY is a file, or the name of one in fixtures/topologies.
    """
    if os.geteuid() != 0:
        raise UsageError("starting nodes needs root: run it with sudo")
    reap()
    run_id = f"up-{secrets.token_hex(_RUN_ID_BYTES)}"
    design = ClusterDesign(
        scenario="played with by hand",
        topology=_topology(topology),
        software=tuple(software_called(name) for name in names),
        image=image_called(image),
        engine=engine,
        seed=0,
        run_id=run_id,
        run_directory=RunDirectory(run_id).path,
    )
    cluster = Cluster(design)
    with Console(stderr=True).status(f"starting {len(design.topology.nodes)} nodes"):
        asyncio.run(_start(cluster))
    click.echo(f"cluster {run_id} is up after {cluster.age_s():.1f} s")
    for vip in design.topology.vips:
        click.echo(f"  {vip.name}: {cluster.plan.vip(vip.name)}")
    node = design.topology.node_names[0]
    click.echo(f"try: harness ps; harness exec {node} -- sfha status; harness fault kill {node}; harness down")


async def _start(cluster: Cluster) -> None:
    await cluster.start(observed=False)
    write_down(cluster.design)
    await cluster.leave_up()


def _topology(name: str) -> Topology:
    path = Path(name)
    if path.suffix == ".toml" or path.exists():
        return load(path)
    known = sorted(file.stem for file in TOPOLOGIES.glob("*.toml"))
    if name not in known:
        there = f"; known here: {', '.join(known)}" if known else f", and there is no {TOPOLOGIES} here"
        raise UsageError(f"{name!r} is neither a topology file nor the name of one{there}")
    return load(TOPOLOGIES / f"{name}.toml")


@click.command("ps")
def ps_command() -> None:
    """List the clusters that are up, and their nodes."""
    found = clusters()
    if not found:
        click.echo("no cluster is up; start one with: harness up")
        return
    table = Table("cluster", "node", "site", "address", "state", "holds")
    for run_id in found:
        cluster = take_up(run_id)
        for node, held in asyncio.run(_held(cluster)).items():
            state = "on" if cluster.is_up(node) else "off"
            site = cluster.topology.node(node).site
            table.add_row(run_id, node, site, cluster.plan.address(node), state, ", ".join(held))
        cluster.let_go()
    Console().print(table)


async def _held(cluster: Cluster) -> dict[str, list[str]]:
    """The virtual addresses present on each node, as its kernel says."""
    held: dict[str, list[str]] = {}
    for node in cluster.topology.node_names:
        held[node] = []
        if cluster.is_up(node):
            listing = (await cluster.engine.exec(node, ("ip", "-4", "-o", "address"))).stdout.decode()
            vips = (cluster.plan.vip(vip.name) for vip in cluster.topology.vips)
            held[node] = [address for address in vips if f" {address}/" in listing]
    return held


@click.command("exec", context_settings={"ignore_unknown_options": True})
@cluster_option
@click.argument("node")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def exec_command(run_id: str | None, node: str, command: tuple[str, ...]) -> None:
    """Run a command inside a node: harness exec NODE -- COMMAND. Its exit code is ours."""
    cluster = take_up(run_id)
    cluster.topology.node(node)
    stdin = b"" if sys.stdin is None or sys.stdin.isatty() else sys.stdin.buffer.read()
    done = asyncio.run(cluster.engine.exec(node, command, stdin=stdin, timeout_s=3600))
    cluster.let_go()
    sys.stdout.buffer.write(done.stdout)
    sys.stderr.buffer.write(done.stderr)
    sys.exit(done.exit_code)


@click.command("down")
@click.argument("run_id", required=False)
@click.option("--all", "everything", is_flag=True, help="End every cluster that is up.")
def down_command(run_id: str | None, everything: bool) -> None:
    """End a cluster that is up, and remove everything of it."""
    if everything:
        chosen = clusters()
    else:
        cluster = take_up(run_id)
        cluster.let_go()
        chosen = (cluster.design.run_id,)
    for one in chosen:
        asyncio.run(Keeper.of(RunDirectory(one)).end())
        click.echo(f"cluster {one} is gone")
