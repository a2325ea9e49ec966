"""``harness fault``: one fault on a cluster that is up, for a time or until Ctrl-C, and healed in every case.

Every fault is a subcommand, made from what it declares.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

import click

from harness.cli.cluster import acting_on, cluster_option, told_to_end, until_told
from harness.cli.groups import Named
from harness.cli.spans import Span
from harness.cluster import Cluster
from harness.errors import ClusterGone
from harness.fault import Fault
from harness.faults.catalogue import catalogue
from harness.faults.declaration import FAMILIES, Aim, Choice, Declaration, Parameter, Quantity
from harness.faults.written import made
from harness.injection import aim_of


class _Catalogue(Named):
    """A group whose commands are the faults there are."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All of them, by family."""
        return list(catalogue())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of one fault; None when there is none of that name."""
        declaration = catalogue().get(cmd_name)
        return None if declaration is None else _command(declaration)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """A section for each family."""
        for family in FAMILIES:
            rows = [(one.name, one.summary) for one in catalogue().values() if one.family == family]
            if rows:
                with formatter.section(family.capitalize()):
                    formatter.write_dl(rows)


@click.group("fault", cls=_Catalogue)
@cluster_option
@click.option("--for", "for_s", type=Span(), help="How long: such as 10, 90s or 2m (default: until Ctrl-C).")
@click.option("--dry-run", is_flag=True, help="Say whom it would hit and what would undo it, and do nothing.")
@click.pass_context
def fault_command(context: click.Context, run_id: str | None, for_s: float | None, dry_run: bool) -> None:
    """Inject a fault into a cluster that is up, prove that it bites, and heal it.

    Should this command itself be killed, the cluster's keeper heals the fault.
    """
    context.obj = _Asked(run_id, for_s, dry_run)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is said before the name of the fault."""

    run_id: str | None
    for_s: float | None
    dry_run: bool


def _command(declaration: Declaration) -> click.Command:
    @click.pass_context
    def run(context: click.Context, /, **given: Any) -> None:
        words: list[str] = []
        for one in declaration.aims:
            words += given[one.name] if isinstance(given[one.name], tuple) else [given[one.name]]
        _run(context, made(declaration, words, {one.name: given[one.name] for one in declaration.options}))

    options: list[click.Parameter] = [_argument(one, alone=len(declaration.aims) == 1) for one in declaration.aims]
    options += [_option(one) for one in declaration.options]
    example = f"harness fault {declaration.name} {declaration.example}".strip()
    words = {one.says.word: one.says.help for one in declaration.aims if isinstance(one.says, Aim)}
    aims = "".join(f"{word}: {meaning}.\n\n" for word, meaning in words.items())
    help_text = f"{declaration.about}\n\n{aims}Proof: {declaration.proof}.\n\nExample: {example}"
    return click.Command(declaration.name, params=options, callback=run, help=help_text, short_help=declaration.summary)


def _argument(one: Parameter, *, alone: bool) -> click.Argument:
    assert isinstance(one.says, Aim)
    several = (alone and one.says.several) or one.variadic
    return click.Argument(
        [one.name],
        nargs=-1 if several else 1,
        required=True,
        metavar=f"{one.says.word}..." if several else one.says.word,
    )


def _option(one: Parameter) -> click.Option:
    help_text, kind, metavar = one.says.help, one.of, None
    match one.says:
        case Quantity(unit=unit, at_least=at_least, at_most=at_most):
            help_text += f", {at_least:g} to {at_most:g} {unit}".rstrip()
            metavar = unit.upper().split()[-1] if unit.isalpha() else "NUMBER"
        case Choice(words=words):
            return click.Option(
                [one.option, one.name], type=click.Choice(words), default=one.default, show_default=True, help=help_text
            )
    # A default of None would be one: click would not say that the option is missing.
    default = {} if one.required else {"default": one.default}
    return click.Option(
        [one.option, one.name],
        type=kind,
        required=one.required,
        show_default=not one.required,
        metavar=metavar,
        help=help_text,
        **default,
    )


def _run(context: click.Context, fault: Fault[Cluster]) -> None:
    asked: _Asked = context.obj
    with acting_on(asked.run_id) as cluster:
        click.echo(f"cluster {cluster.design.run_id}")
        cluster.progress = click.echo
        asyncio.run(_tell(cluster, fault) if asked.dry_run else _hold(cluster, fault, asked.for_s))


async def _tell(cluster: Cluster, fault: Fault[Cluster]) -> None:
    """As far as aiming, which does nothing."""
    heals = await aim_of(fault, cluster, cluster.note)
    click.echo(f"{fault.name} would hit: {', '.join(fault.targets)}")
    for heal in heals:
        click.echo(f"undone by: {heal}")


async def _hold(cluster: Cluster, fault: Fault[Cluster], for_s: float | None) -> None:
    over = told_to_end()
    try:
        async with cluster.under(fault):
            click.echo(f"it bites; healed {f'in {for_s:g} s' if for_s else 'on Ctrl-C'}")
            await until_told(over, cluster, for_s)
    except ClusterGone as gone:
        click.echo(f"{gone}, and {fault.name} with it")
