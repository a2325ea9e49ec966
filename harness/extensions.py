"""What other packages bring along, by entry point: subjects, faults, checks.

A suite need not be installed for that: what the pyproject.toml of a directory declares counts as well, as do the
topologies and images in its ``fixtures``.
"""

import importlib
import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from harness.errors import UsageError

PROJECT = "pyproject.toml"


def references(group: str, project: Path | None = None) -> dict[str, str]:
    """Where each thing of a group is ("module:name"), by its name; of two with one name that of the project.

    ``project`` is a directory, the current one otherwise. Raises UsageError for a pyproject.toml that is none.
    """
    installed = {one.name: one.value for one in sorted(entry_points(group=group))}
    return installed | _declared_in((project or Path.cwd()) / PROJECT, group)


def load(reference: str, what: str, *search: Path) -> Any:
    """What a reference names. Modules are looked for in these directories last.

    Raises UsageError, saying ``what`` it is and why it cannot be had.
    """
    module, _, attribute = reference.partition(":")
    for directory in map(str, search):
        if directory not in sys.path:
            sys.path.append(directory)
    try:
        found: Any = importlib.import_module(module)
        for part in filter(None, attribute.split(".")):
            found = getattr(found, part)
    except Exception as error:  # whatever is wrong with it, it is another's, and named
        raise UsageError(f"{what} {reference} cannot be loaded: {error}") from error
    return found


def _declared_in(file: Path, group: str) -> dict[str, str]:
    try:
        declared = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError:
        return {}
    except ValueError as error:
        raise UsageError(f"{file}: {error}") from None
    found = declared.get("project", {}).get("entry-points", {}).get(group, {})
    return {str(name): str(reference) for name, reference in found.items()}
