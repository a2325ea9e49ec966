"""Subjects by name, as packages declare them: the entry point group ``harness.subjects``.

A suite need not be installed for that: what the pyproject.toml of the current directory declares counts as well, as
do the topologies and images in its ``fixtures``.
"""

import importlib
import sys
import tomllib
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, cast

from harness.errors import UsageError
from harness.subjects.subject import Kind, Subject, settings_of

GROUP = "harness.subjects"


def subject_names(project: Path | None = None) -> tuple[str, ...]:
    """The names of all subjects that can be had: of what is installed, and of the project in a directory."""
    return tuple(_references(project or Path.cwd()))


def subject_called(name: str, settings: Mapping[str, Any] | None = None, project: Path | None = None) -> Subject:
    """The subject of this name with these settings; UsageError names what is allowed."""
    directory = project or Path.cwd()
    references = _references(directory)
    if name not in references:
        raise UsageError(f"there is no subject {name!r}; there are: {', '.join(references) or 'none'}")
    kind = kind_at(references[name], (directory,))
    try:
        return kind(**(settings or {}))
    except TypeError:
        allowed = ", ".join(settings_of(kind)) or "none"
        raise UsageError(f"{name} has no such settings: {', '.join(settings or {})}; allowed: {allowed}") from None


def kind_at(reference: str, search: tuple[Path, ...] = ()) -> Kind:
    """The class that a reference ("module:Class") names. Modules are looked for in these directories last.

    Raises UsageError, with the reason, when there is none.
    """
    module, _, attribute = reference.partition(":")
    for directory in map(str, search):
        if directory not in sys.path:
            sys.path.append(directory)
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"the subject {reference} cannot be loaded: {error}") from error
    return cast(Kind, found)


def _references(project: Path) -> dict[str, str]:
    """Where each subject is, by its name; of two with one name that of the project."""
    installed = {one.name: one.value for one in sorted(entry_points(group=GROUP))}
    return installed | _declared_in(project / "pyproject.toml")


def _declared_in(file: Path) -> dict[str, str]:
    try:
        declared = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError:
        return {}
    except ValueError as error:
        raise UsageError(f"{file}: {error}") from None
    found = declared.get("project", {}).get("entry-points", {}).get(GROUP, {})
    return {str(name): str(reference) for name, reference in found.items()}
