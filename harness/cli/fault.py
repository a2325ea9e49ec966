"""``harness fault``: one fault on a cluster that is up, for a time or until Ctrl-C, and healed in every case."""

import asyncio
import contextlib
import signal

import click

from harness.cli.cluster import acting_on, cluster_option
from harness.cluster import Cluster, Fault
from harness.faults.network import CutSite, Drop, Partition, WanDown
from harness.faults.process import Freeze, Kill, Suspend
from harness.faults.select import node as nodes

LONGEST_S = 7 * 86400.0


def _sensible(_context: click.Context, _option: click.Parameter, seconds: float | None) -> float | None:
    if seconds is not None and not 0 < seconds <= LONGEST_S:  # not a number fails this too
        raise click.BadParameter(f"{seconds:g} seconds: allowed is above 0, and at most {LONGEST_S:.0f} (a week)")
    return seconds


@click.group("fault")
@cluster_option
@click.option(
    "--for", "for_s", type=float, callback=_sensible, metavar="SECONDS", help="How long (default: until Ctrl-C)."
)
@click.pass_context
def fault_command(context: click.Context, run_id: str | None, for_s: float | None) -> None:
    """Inject a fault into a cluster that is up, prove that it bites, and heal it.

    Should this command itself be killed, the cluster's keeper heals the fault.
    """
    context.obj = (run_id, for_s)


def _run(context: click.Context, fault: Fault) -> None:
    run_id, for_s = context.obj
    with acting_on(run_id) as cluster:
        click.echo(f"cluster {cluster.design.run_id}")
        cluster.progress = click.echo
        asyncio.run(_hold(cluster, fault, for_s))


async def _hold(cluster: Cluster, fault: Fault, for_s: float | None) -> None:
    over = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    async with cluster.under(fault):
        click.echo(f"it bites; healed {f'in {for_s:g} s' if for_s else 'on Ctrl-C'}")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), for_s)


@fault_command.command("kill")
@click.argument("node", nargs=-1, required=True)
@click.pass_context
def kill(context: click.Context, node: tuple[str, ...]) -> None:
    """Power cut of nodes; healing boots them again."""
    _run(context, Kill(nodes(*node)))


@fault_command.command("freeze")
@click.argument("node", nargs=-1, required=True)
@click.pass_context
def freeze(context: click.Context, node: tuple[str, ...]) -> None:
    """Stop every process of nodes where it is."""
    _run(context, Freeze(nodes(*node)))


@fault_command.command("suspend")
@click.argument("node")
@click.argument("daemon")
@click.pass_context
def suspend(context: click.Context, node: str, daemon: str) -> None:
    """Stop one daemon of a node."""
    _run(context, Suspend(nodes(node), daemon))


@fault_command.command("cut-site")
@click.argument("site")
@click.pass_context
def cut_site(context: click.Context, site: str) -> None:
    """Cut a site off from all others."""
    _run(context, CutSite(site))


@fault_command.command("wan-down")
@click.pass_context
def wan_down(context: click.Context) -> None:
    """Cut all sites off from each other."""
    _run(context, WanDown())


@fault_command.command("partition")
@click.argument("group", nargs=-1, required=True, metavar="NODE,NODE... NODE,NODE...")
@click.pass_context
def partition(context: click.Context, group: tuple[str, ...]) -> None:
    """Cut groups of nodes off from each other."""
    _run(context, Partition(*(one.split(",") for one in group)))


@fault_command.command("drop")
@click.argument("source")
@click.argument("destination")
@click.pass_context
def drop(context: click.Context, source: str, destination: str) -> None:
    """Drop what SOURCE sends to DESTINATION, one way only."""
    _run(context, Drop(source, destination))
