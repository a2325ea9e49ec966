"""``harness image build|list|export|prune``."""

from pathlib import Path
from typing import IO

import click

from harness.engines.daemons import KINDS, chosen_daemon
from harness.engines.imported import NAMED, images_of_nodes
from harness.engines.remains import Daemon
from harness.errors import HostError, UsageError
from harness.images.archive import write_archive
from harness.images.store import ensure_image, image_path, image_store, prune, stored_images
from harness.shipped import definitions
from harness.subjects.found import subject_called


@click.group("image")
def image_command() -> None:
    """Build, list, export and prune node images."""


@image_command.command("build")
@click.argument("definition", default="node")
@click.option("--mirror", metavar="URL", help="Debian archive to build from, instead of the one this host's apt uses.")
@click.option("--keyring", type=click.Path(path_type=Path), metavar="FILE", help="Keys that archive is signed with.")
@click.option("--quiet-if-there", is_flag=True, help="Say nothing when there is nothing to build.")
def build_command(definition: str, mirror: str | None, keyring: Path | None, quiet_if_there: bool) -> None:
    """Build the image DEFINITION (a name, or a TOML file), unless it is in the cache."""
    there = image_path(definition).is_dir()
    path = ensure_image(definition, mirror=mirror, keyring=keyring)
    if not (there and quiet_if_there):
        click.echo(path)


@image_command.command("list")
def list_command() -> None:
    """List the images in the cache."""
    for image in stored_images():
        click.echo(f"{image.name:32} {image.size_bytes / 1e6:7.1f} MB  {image.directory}")


@image_command.command("export")
@click.argument("software")
@click.option("--output", type=click.File("wb"), default="-", metavar="FILE", help="Where to; standard output if not.")
def export_command(software: str, output: IO[bytes]) -> None:
    """Write what nodes with SOFTWARE start from as a tar archive: the image, and the software over it.

    `docker import - NAME` takes it.
    """
    subject = subject_called(software)
    if output.isatty():
        raise UsageError("an archive is nothing to read: redirect it, or give --output FILE")
    root = ensure_image(subject.image)
    try:
        write_archive((root, *subject.layers(root)), output)
    except OSError as error:
        raise HostError(f"the archive is not complete: {error}") from error


@image_command.command("prune")
@click.option("--all", "everything", is_flag=True, help="Also those that definitions give, or somebody named.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
def prune_command(everything: bool, dry_run: bool) -> None:
    """Remove images that no definition here gives any more, old stack layers, and unfinished builds.

    From the cache, and from the daemons of docker and lxd that run; an image that a node needs stays.
    """
    keep = images_of_nodes()
    if not everything:
        keep |= {image_path(name).parent.name for name in definitions("images")}
    verb = "would remove" if dry_run else "removed"
    removed = prune(keep, dry_run=dry_run)
    for image in removed:
        click.echo(f"{verb} {image.name} ({image.size_bytes / 1e6:.1f} MB)")
    if not removed:
        click.echo(f"nothing to remove in {image_store()}")
    keep |= {image.name for image in stored_images()} - {image.name for image in removed}
    for daemon in filter(Daemon.answers, map(chosen_daemon, KINDS)):
        for key in sorted(key for key in daemon.images() - keep if everything or not key.startswith(NAMED)):
            refused = "" if dry_run else daemon.remove_image(key)
            click.echo(f"{key} stays in {daemon.kind}: {refused}" if refused else f"{verb} {key} from {daemon.kind}")
