"""Subjects by name, as packages declare them: the entry point group ``harness.subjects``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from harness.errors import UsageError
from harness.extensions import load, references
from harness.subjects.subject import Kind, Subject, settings_of

GROUP = "harness.subjects"


def subject_names(project: Path | None = None) -> tuple[str, ...]:
    """The names of all subjects that can be had: of what is installed, and of the project in a directory."""
    return tuple(references(GROUP, project))


def subject_called(name: str, settings: Mapping[str, Any] | None = None, project: Path | None = None) -> Subject:
    """The subject of this name with these settings; UsageError names what is allowed."""
    directory = project or Path.cwd()
    known = references(GROUP, directory)
    if name not in known:
        raise UsageError(f"there is no subject {name!r}; there are: {', '.join(known) or 'none'}")
    kind = kind_at(known[name], directory)
    strange = sorted(set(settings or {}) - set(settings_of(kind)))
    if strange:
        allowed = ", ".join(settings_of(kind)) or "none"
        raise UsageError(f"{name} has no such settings: {', '.join(strange)}; allowed: {allowed}")
    return kind(**(settings or {}))


def kind_at(reference: str, *search: Path) -> Kind:
    """The class that a reference ("module:Class") names (UsageError when there is none)."""
    return cast(Kind, load(reference, "the subject", *search))
