"""``harness new``: a suite to begin with, in a directory of its own."""

import re
import tomllib
from importlib.util import find_spec
from pathlib import Path

import click

from harness.errors import UsageError
from harness.shipped import example_suite
from harness.subjects.found import GROUP

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@click.command("new")
@click.argument("suite", type=click.Path(path_type=Path))
def new_command(suite: Path) -> None:
    """Write a suite for a system of your own into the new directory SUITE.

    It runs as it is: a system under test, its image, its promises, and two scenarios, to be changed into yours.
    """
    for path in write_suite(suite):
        click.echo(path)
    click.echo(f"now, as root: cd {suite} && pytest; or, for a cluster to look at: harness up --software {suite.name}")


def write_suite(directory: Path) -> list[Path]:
    """Copy the suite that ships as an example, under another name; gives the files.

    Raises UsageError for a name that would be none of a Python project, or a directory that is there already.
    """
    name = directory.name
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name for a suite: allowed are a-z, 0-9 and - between them, such as my-stack")
    if directory.exists():
        raise UsageError(f"{directory} is there already")
    if find_spec(name.replace("-", "_")) is not None:
        raise UsageError(f"{name!r} is no name for a suite: there is a Python module {name}; take my-{name}")
    example = example_suite()
    known = tomllib.loads((example / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (reference,) = known["entry-points"][GROUP].values()
    module, _, cls = reference.partition(":")
    others = {
        known["name"]: name,
        module: name.replace("-", "_"),
        cls: "".join(part.capitalize() for part in name.split("-")),
    }
    written = []
    for source in sorted(path for path in example.rglob("*") if path.suffix in {".py", ".toml"}):
        target = directory / _renamed(str(source.relative_to(example)), others)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(_renamed(source.read_text(encoding="utf-8"), others), encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{target}: {error.strerror}") from error
        written.append(target)
    return written


def _renamed(text: str, others: dict[str, str]) -> str:
    for old, new in others.items():
        text = re.sub(rf"\b{re.escape(old)}\b", new, text)
    return text
