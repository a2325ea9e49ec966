"""``harness engine install|start|stop|status``."""

import click

from harness.engines.daemons import KINDS, Kind, OwnDaemon, chosen_daemon, install, why_not
from harness.engines.uml import kernel

_one = click.argument("kind", metavar="docker|lxd", type=click.Choice(KINDS))
_any = click.argument("kinds", metavar="[docker|lxd]...", nargs=-1, type=click.Choice(KINDS))


@click.group("engine")
def engine_command() -> None:
    """Install what the engines docker, lxd and uml need, and run the daemons of docker and lxd.

    The daemons are the harness's own: apart from any other daemon of this host, from its network and its mounts. To use
    one that runs already instead, name its socket, as in HARNESS_DOCKER=/run/docker.sock or
    HARNESS_LXD=/var/lib/lxd/unix.socket.
    """


@engine_command.command("install")
@click.argument("name", metavar="docker|lxd|uml", type=click.Choice((*KINDS, kernel.NAME)))
def install_command(name: str) -> None:
    """Install the engine from Debian. Its own service, if it has one, is neither started nor enabled."""
    for kind in KINDS:
        if kind == name:
            install(kind, click.echo)
            click.echo(f"next: harness engine start {kind}")
    if name == kernel.NAME:
        kernel.install(click.echo)
        click.echo(f"use it: pytest scenarios/ --engine={name}, or harness up --engine={name}")


@engine_command.command("start")
@_one
def start_command(kind: Kind) -> None:
    """Start the harness's own daemon, apart from everything else on this host."""
    OwnDaemon(kind).start()
    click.echo(f"{kind} is running; use it: pytest scenarios/ --engine={kind}; end it: harness engine stop {kind}")


@engine_command.command("stop")
@_any
@click.option("--clear", is_flag=True, help="Also remove its data (images).")
def stop_command(kinds: tuple[Kind, ...], clear: bool) -> None:
    """End the harness's own daemons (all, or those named)."""
    for kind in kinds or KINDS:
        own = OwnDaemon(kind)
        ran = own.process() is not None
        own.stop()
        if clear:
            own.clear()
        click.echo(f"{kind}: {'stopped' if ran else 'was not running'}{', data removed' if clear else ''}")


@engine_command.command("status")
@_any
def status_command(kinds: tuple[Kind, ...]) -> None:
    """Say for each engine whether it can be used, and by which daemon."""
    for kind in kinds or KINDS:
        click.echo(f"{kind}: {why_not(kind) or f'usable, by the daemon at {chosen_daemon(kind).socket}'}")
    if not kinds:
        click.echo(f"{kernel.NAME}: {kernel.why_not() or 'usable; it has no daemon'}")
