"""``harness up``, ``ps``, ``exec`` and ``down``: a cluster for a person to play with."""

import asyncio
import contextlib
import os
import secrets
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.table import Table

from harness.cluster import Cluster
from harness.design import ClusterDesign, suited, why_unguarded
from harness.engines.attached import Ended
from harness.engines.choice import ENGINES
from harness.errors import ClusterGone, HarnessError, UsageError
from harness.images import image_called
from harness.keeper import Keeper
from harness.reap import reap
from harness.rundir import RunDirectory
from harness.shipped import definition_called
from harness.subjects import STARTED_BY_DEFAULT
from harness.subjects.found import named_once, subject_called
from harness.topology import engine_words, load
from harness.upright import chosen, clusters, take_up, write_down

_RUN_ID_BYTES = 3
_LOOK_EVERY_S = 0.5

cluster_option = click.option("--cluster", "run_id", help="Which cluster, when several are up (see harness ps).")


@click.command("up")
@click.argument("topology", default="three-sites")
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default="local",
    show_default=True,
    help="What runs the nodes for which the topology names no engine.",
)
@click.option(
    "--image", help="The name of a definition, a TOML file, or a directory (default: that of the first subject)."
)
@click.option(
    "--software",
    "names",
    multiple=True,
    default=STARTED_BY_DEFAULT,
    show_default=True,
    metavar="SUBJECT",
    help="What runs on the nodes, by the names of subjects; may be given several times.",
)
def up_command(topology: str, engine: str, image: str | None, names: tuple[str, ...]) -> None:
    """Start a cluster and leave it up.

    TOPOLOGY is a TOML file, or the name of one: of those in fixtures/topologies here, or of those that ship. A SUBJECT
    is one that an installed package has, or that the pyproject.toml here declares.
    """
    if os.geteuid() != 0:
        raise UsageError("starting nodes needs root: run it with sudo")
    _remove_dead_runs()
    drawn = load(definition_called("topologies", topology, "topology"))
    engines = tuple(dict.fromkeys(drawn.engines(engine).values()))
    subjects = suited(map(subject_called, named_once(names)), engines)
    if reason := why_unguarded(subjects, engines):
        raise UsageError(f"{reason}; choose others by --software")
    run_id = f"up-{secrets.token_hex(_RUN_ID_BYTES)}"
    design = ClusterDesign(
        scenario="played with by hand",
        topology=drawn,
        subjects=subjects,
        image=image_called(image or subjects[0].image),
        engine=engine,
        seed=0,
        run_id=run_id,
        run_directory=RunDirectory(run_id).path,
    )
    cluster = Cluster(design)
    with Console(stderr=True).status(f"starting {len(design.topology.nodes)} nodes"):
        asyncio.run(_start(cluster))
    on = f", on {engine_words(engine, design.engines)}" if engines != ("local",) else ""
    click.echo(f"cluster {run_id} is up after {cluster.age_s():.1f} s{on}")
    for vip in design.topology.vips:
        click.echo(f"  {vip.name}: {cluster.plan.vip(vip.name)}")
    click.echo(f"try: {'; '.join(_proposals(design))}")


def _remove_dead_runs() -> None:
    try:
        for remains in reap():
            click.echo(f"harness: removed what the dead run {remains.run_id} left", err=True)
    except HarnessError as error:  # they are in nobody's way
        click.echo(f"harness: dead runs: {error} (`harness reap` tries again)", err=True)


def _proposals(design: ClusterDesign) -> Iterator[str]:
    """What a person may try now; all of it works as it stands there, also beside other clusters."""
    node = design.topology.node_names[0]
    alone = clusters() == (design.run_id,)
    chosen = "" if alone else f" --cluster {design.run_id}"
    yield "harness ps"
    for one in design.subjects:
        yield f"harness exec{chosen} {node} -- {one.first_look}"
    yield f"harness fault{chosen} kill {node}"
    yield "harness down" if alone else f"harness down {design.run_id}"


async def _start(cluster: Cluster) -> None:
    await cluster.start(observed=False)
    write_down(cluster.design)
    await cluster.leave_up()


@click.command("ps")
def ps_command() -> None:
    """List the clusters that are up, and their nodes."""
    found = clusters()
    if not found:
        click.echo("no cluster is up; start one with: harness up")
        return
    table = Table("cluster", "node", "engine", "site", "address", "state", "holds")
    for run_id in found:
        try:
            with acting_on(run_id) as cluster:
                rows = asyncio.run(_rows(cluster))
        except HarnessError as error:
            if run_id in clusters():  # else it ended while we looked, and there is nothing to say
                click.echo(f"harness: {error}", err=True)  # the others are there all the same
            continue
        for row in rows:
            table.add_row(run_id, *row)
    Console().print(table)


async def _rows(cluster: Cluster) -> list[tuple[str, ...]]:
    """Of each node: its name, engine, site, address, state, and the virtual addresses that its kernel has."""
    vips = [cluster.plan.vip(vip.name) for vip in cluster.topology.vips]
    rows: list[tuple[str, ...]] = []
    for node in cluster.topology.nodes:
        state, held = "off", ""
        if cluster.is_up(node.name):
            listing = (await cluster.engine.exec(node.name, ("ip", "-4", "-o", "address"))).stdout.decode()
            state, held = "on", ", ".join(address for address in vips if f" {address}/" in listing)
        engine, address = cluster.design.engines[node.name], cluster.plan.address(node.name)
        rows.append((node.name, engine, node.site, address, state, held))
    return rows


@click.command("exec", context_settings={"ignore_unknown_options": True})
@cluster_option
@click.option("--no-stdin", is_flag=True, help="The command finds its standard input empty.")
@click.argument("node")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def exec_command(run_id: str | None, no_stdin: bool, node: str, command: tuple[str, ...]) -> None:
    """Run a command inside a node: harness exec NODE -- COMMAND. Its exit code is ours.

    In a terminal the command gets one, too: harness exec NODE -- sh is a shell. Elsewhere it has our standard input,
    and reads as much of it as it likes, as any command here would; its output comes as it is written. When this
    command ends, however it does, so do the one in the node and its children.
    """
    with acting_on(run_id) as cluster:
        cluster.topology.node(node)
        if run_id is None:
            click.echo(f"harness: {node} of cluster {cluster.design.run_id}", err=True)
        try:
            code = cluster.engine.attach(node, command, with_stdin=not no_stdin)
        except Ended as ended:
            code = ended.exit_code
    sys.exit(code)


@click.command("down")
@cluster_option
@click.argument("named", metavar="[CLUSTER]", required=False)
@click.option("--all", "everything", is_flag=True, help="End every cluster that is up.")
def down_command(run_id: str | None, named: str | None, everything: bool) -> None:
    """End a cluster that is up, and remove everything of it."""
    if sum((run_id is not None, named is not None, everything)) > 1:
        raise UsageError("harness down ends one cluster (CLUSTER or --cluster CLUSTER) or, with --all, every one")
    ending = clusters() if everything else (chosen(run_id or named),)
    failures: list[str] = []
    for one in ending:
        click.echo(f"ending cluster {one}")
        try:
            asyncio.run(Keeper.of(RunDirectory(one)).end())
        except HarnessError as error:  # the others are to end all the same
            failures.append(str(error))
        else:
            click.echo(f"cluster {one} is gone")
    if failures:
        raise HarnessError("; ".join(failures))
    if not ending:
        click.echo("no cluster is up")


@contextmanager
def acting_on(run_id: str | None) -> Iterator[Cluster]:
    """The cluster of this run id, or the only one that is up; what goes wrong with it names it."""
    cluster = take_up(run_id)
    try:
        yield cluster
    except HarnessError as error:
        raise type(error)(f"cluster {cluster.design.run_id}: {error}") from error
    finally:
        cluster.let_go()


def told_to_end() -> asyncio.Event:
    """Set by Ctrl-C and by SIGTERM from now on, which do nothing else then."""
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    return told


async def until_told(told: asyncio.Event, cluster: Cluster, for_s: float | None = None) -> None:
    """Wait for a person, or for so many seconds. Raises ClusterGone when the cluster is taken down meanwhile."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(for_s):
            while not told.is_set():
                if not RunDirectory(cluster.design.run_id).path.exists():
                    raise ClusterGone(f"cluster {cluster.design.run_id} is gone")
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(told.wait(), _LOOK_EVERY_S)
