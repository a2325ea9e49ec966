"""``harness chaos``: a plan of faults, drawn from a seed or read from a file, on a new cluster, and its verdict."""

import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import click
import msgspec

from harness.chaos.designing import design, settings_of, topology_called
from harness.chaos.offered import chosen, offers
from harness.chaos.session import RUNS, perform, run_directory
from harness.checks.verdict import Outcome
from harness.cli.judge import tell
from harness.cli.spans import Span
from harness.engines.choice import ENGINES
from harness.errors import UsageError
from harness.judge import EXIT_CODES
from harness.plans.blast import radius, reaches
from harness.plans.coverage import covered
from harness.plans.drawing import Setting
from harness.plans.generators import GENERATORS, generate
from harness.plans.plan import LoadOf, Plan, Workload, from_json
from harness.plans.sound import require_sound
from harness.scenario import require_root
from harness.subjects import STARTED_BY_DEFAULT
from harness.subjects.found import named_once, subject_called
from harness.topology import Topology

LOADS = ("ledger=50",)
WITHIN_S = 30.0
_OF_DRAWING = {
    "for_s": "--for", "seed": "--seed", "generator": "--generator", "liveness": "--liveness", "within_s": "--within",
    "faults": "--faults", "loads": "--load", "cover": "--cover",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for on the command line."""

    topology: str
    for_s: float
    seed: int | None
    generator: str
    liveness: bool
    within_s: float
    faults: tuple[str, ...]
    loads: tuple[str, ...]
    software: tuple[str, ...]
    settings: tuple[str, ...]
    engine: str
    image: str | None
    plan_file: Path | None
    runs: Path
    dry_run: bool
    all_steps: bool
    cover: str | None
    seen: tuple[Path, ...]
    keep_on_failure: bool


def cluster_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What says of a command what its clusters are made of."""
    for option in (
        click.option("--software", multiple=True, default=STARTED_BY_DEFAULT, show_default=True, metavar="SUBJECT",
                     help="What runs on the nodes; may be given several times."),
        click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A setting of the first subject."),
        click.option("--engine", type=click.Choice(ENGINES), default="local", show_default=True,
                     help="What runs the nodes."),
        click.option("--image", help="The name of an image definition, a TOML file, or a directory."),
        click.option("--runs", type=click.Path(path_type=Path), default=RUNS, show_default=True,
                     help="Where runs are stored."),
    ):  # fmt: skip
        command = option(command)
    return command


@click.command("chaos")
@click.argument("topology", default="three-sites")
@click.option("--for", "for_s", type=Span(), default="1m", show_default=True, help="How long: such as 90s or 2m.")
@click.option("--seed", type=int, help="What everything is drawn from (default: drawn, and printed).")
@click.option("--generator", type=click.Choice(list(GENERATORS)), default="by-role", show_default=True)
@click.option("--liveness", is_flag=True, help="In the end heal a majority only, and leave the rest broken for good.")
@click.option("--within", "within_s", type=Span(), default=WITHIN_S, show_default=True,
              help="How soon all has to be well in the end.")  # fmt: skip
@click.option(
    "--faults", multiple=True, metavar="NAME", help="Only these faults or families; may be given several times."
)
@click.option("--load", "loads", multiple=True, default=LOADS, show_default=True, metavar="MODEL=RATE",
              help="Clients of ledger, register, set, list, queue or bank, operations a second; or: none.")  # fmt: skip
@click.option("--plan", "plan_file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Perform this plan instead of drawing one.")  # fmt: skip
@click.option("--cover", type=click.Choice(["pairs"]),
              help="As many plans as it takes for every fault to hit every role, and in every phase.")  # fmt: skip
@click.option("--seen", multiple=True, type=click.Path(exists=True, path_type=Path),
              help="With --cover: runs whose pairs need not be covered again.")  # fmt: skip
@click.option("--all-steps", is_flag=True, help="A step that is missed makes the run inconclusive.")
@click.option("--dry-run", is_flag=True, help="Print the plan, whom it could hit and how many at once; start nothing.")
@click.option("--keep-on-failure", is_flag=True, help="Leave the cluster of a failed run up.")
@cluster_options
@click.pass_context
def chaos_command(context: click.Context, /, **given: Any) -> None:
    """Break a new cluster by a plan, watch it, and judge what happened.

    TOPOLOGY is a TOML file, or the name of one. The plan is printed before it starts, and stored with the run:
    `harness replay RUN` performs it again.

    The exit code is 0 when every promise holds, 1 when one is violated, 2 when it cannot be told.
    """
    asked = Asked(**given)
    _require_what_goes_together(context, asked)
    topology = topology_called(asked.topology)
    for name, settings in _software(asked).items():
        subject_called(name, settings)
    plans = _plans(asked, topology)
    for plan in plans:
        require_sound(plan, topology, offers(), str(asked.plan_file or "plan"))
        if asked.dry_run:
            _tell_reach(plan, topology)
    if asked.dry_run:
        return
    require_root()
    worst = Outcome.HOLDS
    for number, plan in enumerate(plans, start=1):
        click.echo(f"plan {number} of {len(plans)}, seed {plan.seed}")
        worst = max(worst, _run(asked, plan, topology))
    sys.exit(EXIT_CODES[worst])


def _require_what_goes_together(context: click.Context, asked: Asked) -> None:
    """Raise UsageError for what would be passed over without a word."""
    if asked.plan_file is not None:
        for name, option in _OF_DRAWING.items():
            if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
                raise UsageError(
                    f"{option} says how a plan is drawn, and --plan names one that is there: leave one out"
                )
    if asked.seen and asked.cover is None:
        raise UsageError("--seen needs --cover: it says which pairs need not be covered again")


def _software(asked: Asked) -> dict[str, dict[str, Any]]:
    """What runs on the nodes, with settings. Raises UsageError."""
    first, *others = named_once(asked.software)
    return {first: settings_of(asked.settings), **{name: {} for name in others}}


def _plans(asked: Asked, topology: Topology) -> tuple[Plan, ...]:
    if asked.plan_file is not None:
        return (from_json(asked.plan_file.read_bytes(), str(asked.plan_file)),)
    setting = Setting(
        topology=topology,
        topology_name=asked.topology,
        engine=asked.engine,
        offers=chosen(asked.faults),
        length_s=asked.for_s,
        within_s=asked.within_s,
        loads=_loads(asked.loads) if topology.vips else (),
        liveness=asked.liveness,
    )
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(2**32)
    if asked.cover is None:
        return (generate(asked.generator, seed, setting),)
    from harness.cli.coverage import read  # numpy with it, by the checks
    from harness.plans.covering import plans

    made = tuple(plans(setting, seed, covered(read(asked.seen)) if asked.seen else ()))
    if not made:
        raise UsageError("--cover pairs: the runs that were seen have covered them all")
    return made


def _loads(words: tuple[str, ...]) -> tuple[LoadOf, ...]:
    if words == ("none",):
        return ()
    found = []
    for word in words:
        name, _, rate = word.partition("=")
        try:
            found.append(msgspec.convert({"workload": name, "rate_per_s": float(rate)}, LoadOf))
        except (ValueError, msgspec.ValidationError):
            known = ", ".join(get_args(Workload))
            raise UsageError(f"--load {word}: allowed is MODEL=RATE, of {known}, or none alone") from None
    return tuple(found)


def _tell_reach(plan: Plan, topology: Topology) -> None:
    for line in plan.told():
        click.echo(line)
    click.echo("\nwhom it would hit:")
    for reach in reaches(plan, topology, offers()):
        click.echo(f"{reach.step.name:>4}  {reach.step.fault}: {reach}")
    click.echo(radius(plan, topology, offers()))


def _run(asked: Asked, plan: Plan, topology: Topology) -> Outcome:
    directory = run_directory(asked.runs, f"{plan.generator}-{plan.seed}")
    made = design(
        topology,
        _software(asked),
        engine=asked.engine,
        image=asked.image,
        seed=plan.seed,
        scenario=f"chaos {plan.generator}, seed {plan.seed}",
        run_directory=directory,
    )
    click.echo(f"run: {directory}")
    ruling = perform(
        made, plan, say=click.echo, at_least=len(plan.steps) if asked.all_steps else 1,
        keep_on_failure=asked.keep_on_failure,
    )  # fmt: skip
    tell(ruling.verdicts)
    click.echo(f"again: harness replay {directory}")
    return ruling.outcome
