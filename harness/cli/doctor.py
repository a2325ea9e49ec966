"""``harness doctor``."""

import sys

import click

from harness.doctor import Finding, State, as_json, can_run_local, examine

COLOURS = {State.OK: "green", State.DEGRADED: "yellow", State.MISSING: "red"}


@click.command("doctor")
@click.option("--json", "for_programs", is_flag=True, help="Print JSON instead of a table.")
def doctor_command(for_programs: bool) -> None:
    """Say what this host can run, what is missing, what follows and how to get it.

    The exit code is 0 when the local engine can run, else 1.
    """
    findings = examine()
    if for_programs:
        click.echo(as_json(findings))
    else:
        _table(findings)
    sys.exit(0 if can_run_local(findings) else 1)


def _table(findings: tuple[Finding, ...]) -> None:
    topic = ""
    for finding in findings:
        if finding.topic != topic:
            topic = finding.topic
            click.secho(f"\n{topic}", bold=True)
        state = click.style(f"{finding.state:9}", fg=COLOURS[finding.state])
        click.echo(f"  {state} {finding.name:26} {finding.found}")
        if finding.state is not State.OK:
            click.echo(f"  {'':9} {'':26} so: {finding.follows}")
            click.echo(f"  {'':9} {'':26} to get it: {finding.remedy}")
    click.echo()
    if can_run_local(findings):
        click.secho("The local engine can run here.", fg="green")
        return
    blocking = ", ".join(finding.name for finding in findings if finding.blocks)
    click.secho(f"The local engine cannot run here; missing: {blocking}.", fg="red")
