"""Subjects by name, as packages declare them: the entry point group ``harness.subjects``."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, cast, get_args, get_origin, get_type_hints

import msgspec

from harness.errors import UsageError
from harness.extensions import load, references
from harness.near import meant
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
        raise UsageError(f"there is no subject {name!r}; there are: {', '.join(known) or 'none'}{meant(name, known)}")
    kind = kind_at(known[name], directory)
    strange = sorted(set(settings or {}) - set(settings_of(kind)))
    if strange:
        allowed = ", ".join(settings_of(kind)) or "none"
        near = meant(strange[0], settings_of(kind))
        raise UsageError(f"{name} has no such settings: {', '.join(strange)}; allowed: {allowed}{near}")
    return kind(**_typed(name, kind, settings or {}))


def named_once(names: Iterable[str]) -> tuple[str, ...]:
    """Names of subjects as a person gave them, each once: what is put on a node twice is there once, or broken.

    Raises UsageError for one that is named again.
    """
    given = tuple(names)
    for at, name in enumerate(given):
        if name in given[:at]:
            raise UsageError(f"the subject {name!r} is named twice; once is enough")
    return given


def _typed(name: str, kind: Kind, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as their types have them: a list that a person wrote, or a history has, may be a tuple's. UsageError."""
    hints, found = get_type_hints(kind), dict(settings)
    for key, value in settings.items():
        try:
            found[key] = msgspec.convert(value, hints[key])
        except msgspec.ValidationError as error:
            words = get_args(hints[key]) if get_origin(hints[key]) is Literal else ()
            allowed = f"allowed: {', '.join(map(str, words))}{meant(str(value), map(str, words))}" if words else error
            raise UsageError(f"{name}: setting {key} is {value!r}; {allowed}") from None
        except TypeError:  # a type that nobody writes down
            found[key] = value
    return found


def kind_at(reference: str, *search: Path) -> Kind:
    """The class that a reference ("module:Class") names (UsageError when there is none)."""
    return cast(Kind, load(reference, "the subject", *search))
