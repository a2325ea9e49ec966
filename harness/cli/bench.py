"""``harness bench``: the figures of docs/benchmarks.md, each with its method."""

import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import click
from rich.console import Console

from harness.bench import cuts, edge, engines, failover, faults, growth, idle, operations, start, steadiness
from harness.bench import workers as side_by_side
from harness.bench.figures import Figure, markdown
from harness.chaos.session import RUNS
from harness.engines.choice import ENGINES
from harness.errors import UsageError
from harness.scenario import require_root

Say = Callable[[str], None]
PROFILES = click.Choice(["fast", "lan", "steady", "wan"])
AT_LEAST_ONE = click.IntRange(1)
LONG_ENOUGH_S = click.FloatRange(1, 7 * 86400)
runs_option = click.option(
    "--runs", default=20, type=AT_LEAST_ONE, show_default=True, help="How often each thing is measured."
)
most_option = click.option(
    "--most",
    default=1_000_000,
    type=click.IntRange(1_000),
    show_default=True,
    help="Operations of the largest history.",
)


@click.group("bench")
@click.option(
    "--into", type=click.Path(dir_okay=False, path_type=Path), help="Append the results to this file, in Markdown."
)
@click.pass_context
def bench_command(context: click.Context, into: Path | None) -> None:
    """Measure; median and spread, peers in the same run. Nothing else should run meanwhile."""
    if into is not None:
        _require_writable(into)
    context.obj = into


def _require_writable(into: Path) -> None:
    """Raise UsageError beforehand: a measurement may take an hour."""
    try:
        with into.open("a"):
            pass
    except OSError as error:
        raise UsageError(f"--into {into}: {error.strerror}") from None


class _Measuring:
    """A place for the runs of a benchmark, and a line that says how far it is.

    SIGTERM ends it as Ctrl-C does: what runs is ended, and the place removed. Raises UsageError where it is to start
    nodes and cannot.
    """

    def __init__(self, *, nodes: bool = True) -> None:
        if nodes:
            require_root()
        self._directory = tempfile.TemporaryDirectory(prefix="harness-bench-")
        self._status = Console(stderr=True).status("measuring")

    def __enter__(self) -> "_Measuring":
        signal.signal(signal.SIGTERM, lambda _number, _frame: signal.raise_signal(signal.SIGINT))
        self.directory = Path(self._directory.__enter__())
        self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()
        self._directory.cleanup()

    def say(self, text: str) -> None:
        """Show what is being measured: one line that changes, or without a terminal a line for each."""
        if sys.stderr.isatty():
            self._status.update(text)
        else:
            click.echo(text, err=True)


def _measure(context: click.Context, title: str, method: str, run: Callable[[Path, Say], Sequence[Figure]]) -> None:
    with _Measuring() as measuring:
        figures = run(measuring.directory, measuring.say)
    _show(context, markdown(title, method, figures))


def _show(context: click.Context, section: str) -> None:
    click.echo(section)
    if context.obj is not None:
        with context.obj.open("a") as file:
            file.write(section + "\n")


@bench_command.command("start")
@runs_option
@click.pass_context
def start_bench(context: click.Context, runs: int) -> None:
    """From nothing to three nodes, quorum and address."""
    _measure(context, "Start", start.METHOD, partial(start.run, runs))


@bench_command.command("failover")
@runs_option
@click.option("--only", default="", help="Only series whose name contains this text.")
@click.pass_context
def failover_bench(context: click.Context, runs: int, only: str) -> None:
    """Holder killed, cut off, frozen, handed over; a peer beside it."""
    _measure(context, "Failover", failover.METHOD, partial(failover.run, runs, only))


@bench_command.command("edge")
@click.option("--runs", default=5, type=AT_LEAST_ONE, show_default=True, help="How often each fault is measured.")
@click.option("--only", default="", help="Only edges whose name contains this text.")
@click.pass_context
def edge_bench(context: click.Context, runs: int, only: str) -> None:
    """Requests that are lost when a backend or a site goes, through our edge and through those of others."""
    with _Measuring() as measuring:
        section = edge.run(runs, only, measuring.directory, measuring.say)
    _show(context, section)


@bench_command.command("platform")
@click.pass_context
def platform_bench(context: click.Context) -> None:
    """The platform at scale: its checker, its API with 5,000 backends, long connections while much is changed."""
    from harness.bench import platform

    with _Measuring(nodes=False) as measuring:
        section = platform.run(measuring.directory, measuring.say)
    _show(context, section)


@bench_command.command("stores")
@click.option("--runs", default=10, type=AT_LEAST_ONE, show_default=True, help="How often each fault is measured.")
@click.option("--only", default="", help="Only stores whose name contains this text.")
@click.pass_context
def stores_bench(context: click.Context, runs: int, only: str) -> None:
    """Stores whose leader is killed, or cut off: outage and loss, as installed and with stock settings."""
    from harness.bench import stores

    with _Measuring() as measuring:
        section = stores.run(runs, only, measuring.directory, measuring.say)
    _show(context, section)


@bench_command.command("operations")
@runs_option
@click.pass_context
def operations_bench(context: click.Context, runs: int) -> None:
    """Join, removal, and failover of a service that must be fenced first."""
    _measure(context, "Operations", operations.METHOD, partial(operations.run, runs))


@bench_command.command("cuts")
@runs_option
@click.pass_context
def cuts_bench(context: click.Context, runs: int) -> None:
    """How quickly a cut is in force, and gone again."""
    _measure(context, "Cuts", cuts.METHOD_CUTS, partial(cuts.run_cuts, runs))


@bench_command.command("outages")
@runs_option
@click.pass_context
def outages_bench(context: click.Context, runs: int) -> None:
    """How far a measured outage is from the true one."""
    _measure(context, "Error of a measured outage", cuts.METHOD_ERROR, partial(cuts.run_errors, runs))


@bench_command.command("steadiness")
@click.option(
    "--minutes", default=10.0, type=click.FloatRange(0.1, 7 * 1440), show_default=True, help="How long, each profile."
)
@click.option("--profile", "profiles", type=PROFILES, multiple=True, default=("fast", "lan"), show_default=True)
@click.pass_context
def steadiness_bench(context: click.Context, minutes: float, profiles: tuple[str, ...]) -> None:
    """No failover without a cause while every core is busy."""
    _measure(context, "Steadiness", steadiness.METHOD, partial(steadiness.run, profiles, minutes * 60))


@bench_command.command("idle")
@click.option("--seconds", default=30.0, type=LONG_ENOUGH_S, show_default=True, help="How long, for each profile.")
@click.option("--profile", "profiles", type=PROFILES, multiple=True, default=("fast", "lan", "wan"), show_default=True)
@click.pass_context
def idle_bench(context: click.Context, seconds: float, profiles: tuple[str, ...]) -> None:
    """Processor time and memory of the stack's daemon while nothing happens."""
    _measure(context, "Idle", idle.METHOD, partial(idle.run, profiles, seconds))


@bench_command.command("engines")
@runs_option
@click.option("--only", type=click.Choice(ENGINES), default=None, help="Only this engine.")
@click.pass_context
def engines_bench(context: click.Context, runs: int, only: str | None) -> None:
    """A node's life on each engine, beside the engine's own commands."""
    _measure(context, "Engines", engines.METHOD, partial(engines.run, runs, only=only or ""))


@bench_command.command("growth")
@click.option("--nodes", "sizes", multiple=True, type=click.IntRange(3, 64), default=(3, 10, 30), show_default=True)
@click.option(
    "--engine",
    "names",
    multiple=True,
    type=click.Choice(ENGINES),
    default=("local", "docker", "lxd"),
    show_default=True,
)
@click.pass_context
def growth_bench(context: click.Context, sizes: tuple[int, ...], names: tuple[str, ...]) -> None:
    """Time to power, time to quorum and memory, from a few nodes to many."""
    with _Measuring() as measuring:
        section = growth.run(names, sizes, measuring.directory, measuring.say)
    _show(context, section)


@bench_command.command("workers", context_settings={"ignore_unknown_options": True})
@click.option("-n", "workers", multiple=True, type=click.IntRange(1), default=(1, 2, 4), show_default=True)
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def workers_bench(context: click.Context, workers: tuple[int, ...], options: tuple[str, ...]) -> None:
    """Scenarios per hour with as many workers. OPTIONS are pytest's (by default: scenarios -m headline)."""
    with _Measuring() as measuring:
        chosen = options or ("scenarios", "-m", "headline")
        section = side_by_side.run(workers, chosen, measuring.directory, measuring.say)
    _show(context, section)


@bench_command.command("checks")
@most_option
@click.option("--page", type=click.Path(path_type=Path), help="Write this page, in Markdown, and its plot beside it.")
def checks_bench(most: int, page: Path | None) -> None:
    """Time and memory of the checks of consistency."""
    from harness.bench import checks

    with _Measuring(nodes=False) as measuring:
        measured = checks.run([size for size in checks.SIZES if size <= most], measuring.say)
    click.echo(checks.markdown(measured, "benchmarks-checks.svg"))
    if page is not None:
        checks.write(measured, page)


@bench_command.command("reading")
@most_option
@click.option("--runs", default=3, show_default=True, type=click.IntRange(1), help="How often each file is read.")
@click.pass_context
def reading_bench(context: click.Context, most: int, runs: int) -> None:
    """From a file to the verdict: every format, and a run of ours (also part of checks)."""
    from harness.bench import checks, reading

    with _Measuring(nodes=False) as measuring:
        found = reading.run([size for size in checks.SIZES if size <= most], runs, checks.SEED, measuring.say)
    _show(context, reading.markdown(found))


@bench_command.command("faults")
@click.option("--runs", default=5, type=AT_LEAST_ONE, show_default=True, help="How often each fault is measured.")
@click.option("--only", default="", help="Only faults whose name contains this text.")
@click.pass_context
def faults_command(context: click.Context, runs: int, only: str) -> None:
    """From the call to the effect, and from the heal to the end of it, for every fault."""
    with _Measuring() as measuring:
        found = faults.measure(measuring.directory, runs, measuring.say, only)
    _show(context, faults.section(found))


@bench_command.command("links")
@click.option("--runs", default=3, show_default=True, type=click.IntRange(1), help="How often each value is measured.")
@click.option(
    "--scale",
    default=1.0,
    type=click.FloatRange(0.001, 10),
    show_default=True,
    help="How many datagrams, as a part of the full number.",
)
@click.option("--only", default="", help="Only values whose name contains this text.")
@click.pass_context
def links_bench(context: click.Context, runs: int, scale: float, only: str) -> None:
    """Requested against measured, for each value of a link's character."""
    from harness.bench import links

    with _Measuring() as measuring:
        section = links.run(runs, scale, only, measuring.say)
    _show(context, section)


@bench_command.command("storage")
@click.option("--runs", default=5, show_default=True, type=click.IntRange(1), help="Of moves; of maps twice as many.")
@click.option("--size-mib", default=1024, show_default=True, type=click.IntRange(8), help="Of the file that is moved.")
@click.option(
    "--idle-seconds", default=30.0, type=LONG_ENOUGH_S, show_default=True, help="How long the daemons do nothing."
)
@click.option(
    "--only",
    default="",
    type=click.Choice(["", "moves", "maps", "parallel", "throughput", "preflight", "cycles", "daemon"]),
    help="One part.",
)
@click.option(
    "--rounds", default=3, show_default=True, type=AT_LEAST_ONE, help="Of sixteen maps at once, some 5 s each."
)
@click.option("--cycles", default=10, show_default=True, type=AT_LEAST_ONE, help="Of map and unmap, over 1 s each.")
@click.option(
    "--where", type=click.Path(path_type=Path, exists=True, file_okay=False), help="On the storage to measure."
)
@click.option("--own-kernel", is_flag=True, help="Throughput alone, on a node whose kernel has NBD (engine uml).")
@click.pass_context
def storage_bench(
    context: click.Context,
    *,
    runs: int,
    size_mib: int,
    idle_seconds: float,
    only: str,
    rounds: int,
    cycles: int,
    where: Path | None,
    own_kernel: bool,
) -> None:
    """Verified moves beside cp, qemu-img and nbdcopy; maps beside the bare tools, at once, and again and again;
    preflight; the daemon."""
    from harness.bench import storage, storage_on_kernel

    if own_kernel:
        if only not in ("", "throughput") or where is not None:
            raise UsageError(
                "--own-kernel measures the throughput of a node's own disk: neither --where nor another part"
            )
        with _Measuring() as measuring:
            section = storage_on_kernel.run(measuring.directory, measuring.say, runs=runs, size_mib=size_mib)
        _show(context, section)
        return
    with (
        _Measuring(nodes=False) as measuring,
        tempfile.TemporaryDirectory(prefix="harness-bench-", dir=where) as folder,
    ):
        wanted = {"runs": runs, "size_mib": size_mib, "rounds": rounds, "cycles": cycles}
        section = storage.run(Path(folder), measuring.say, **wanted, idle_s=idle_seconds, only=only)
    _show(context, section)


@bench_command.command("planted")
@click.option("--only", multiple=True, help="Only defects whose name contains this text; may be said several times.")
@click.option("--seeds", default=5, type=AT_LEAST_ONE, show_default=True, help="How many searches for each defect.")
@click.option(
    "--plans", default=60, type=click.IntRange(1, 1000), show_default=True, help="At most so many plans a search."
)
@click.option(
    "--shrinking-runs",
    default=40,
    type=click.IntRange(0),
    show_default=True,
    help="At most so many runs to shrink one.",
)
@click.option(
    "--minutes",
    default=None,
    type=click.FloatRange(0.1, 7 * 1440),
    help="At most so long for each defect in this call; --resume goes on.",
)
@click.option("--results", type=click.Path(dir_okay=False, path_type=Path), default=RUNS / "planted.json",
              show_default=True, help="Where what is known is kept, after each plan.")  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on with what is in that file.")
@click.option("--stored", type=click.Path(file_okay=False, path_type=Path), default=RUNS, show_default=True,
              help="Where the runs are stored.")  # fmt: skip
@click.pass_context
def planted_bench(
    context: click.Context,
    *,
    only: tuple[str, ...],
    seeds: int,
    plans: int,
    shrinking_runs: int,
    minutes: float | None,
    results: Path,
    resume: bool,
    stored: Path,
) -> None:
    """Defects that take several faults: how soon drawn plans find them, and what shrinking leaves (in pieces)."""
    from harness.bench import planted

    wanted = planted.Wanted(
        defects=planted.wanted_defects(only),
        seeds=seeds,
        plans=plans,
        shrinking_runs=shrinking_runs,
        minutes=minutes,
    )
    with _Measuring() as measuring:
        kept = planted.Results(results, resume=resume)
        trying = planted.OnNodes(stored, measuring.say)
        try:
            section = planted.run(wanted, kept, trying, measuring.say)
        except KeyboardInterrupt:
            click.echo(planted.written(kept, wanted))
            raise
    _show(context, section)
