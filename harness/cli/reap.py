"""``harness reap``."""

import os

import click

from harness.errors import UsageError
from harness.reap import reap


@click.command("reap")
@click.option("--dry-run", is_flag=True, help="Only list what would be removed.")
def reap_command(dry_run: bool) -> None:
    """Remove everything that dead runs left behind; runs that are alive are not touched."""
    if os.geteuid() != 0 and not dry_run:
        raise UsageError("removing what dead runs left needs root: run it with sudo")
    found = reap(dry_run=dry_run, everybodys=True)
    for remains in found:
        click.echo(f"{'would remove' if dry_run else 'removed'} run {remains.run_id}:")
        for leftover in remains.leftovers:
            click.echo(f"  {leftover}")
    if not found:
        click.echo("nothing is left of any dead run")
