"""Every fault there is: those of the files here, and those that other packages bring along.

A package brings some by an entry point of the group ``harness.faults`` (:mod:`harness.extensions`): the class of a
fault, or a module of several.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import harness.faults
from harness.errors import UsageError
from harness.extensions import load, references
from harness.faults.declaration import FAMILIES, Declaration
from harness.faults.declared import Declared

GROUP = "harness.faults"


@cache
def catalogue() -> dict[str, Declaration]:
    """Every fault by its name, in the order of families. Raises UsageError when two have one name."""
    found: dict[str, Declaration] = {}
    for one in (*_ours(), *_others()):
        known = found.setdefault(one.name, one)
        if known.make is not one.make:
            places = f"{known.make.__module__} and {one.make.__module__}"
            raise UsageError(f"two faults are called {one.name}, of {places}: one of them needs another name")
    ordered = sorted(found.values(), key=lambda one: (FAMILIES.index(one.family), one.name))
    return {one.name: one for one in ordered}


def _ours() -> Iterator[Declaration]:
    for module in pkgutil.walk_packages(harness.faults.__path__, f"{harness.faults.__name__}."):
        yield from _declared_in(importlib.import_module(module.name))


def _others() -> Iterator[Declaration]:
    for name, reference in references(GROUP).items():
        loaded = load(reference, f"fault {name} of", Path.cwd())
        found = tuple(_declared_in(loaded)) if isinstance(loaded, ModuleType) else tuple(_of(loaded))
        if not found:
            raise UsageError(f"{reference} (entry point {name} of {GROUP}) declares no fault")
        yield from found


def _declared_in(module: ModuleType) -> Iterator[Declaration]:
    for cls in vars(module).values():
        if inspect.isclass(cls) and cls.__module__ == module.__name__:
            yield from _of(cls)


def _of(cls: object) -> Iterator[Declaration]:
    if inspect.isclass(cls) and issubclass(cls, Declared) and "declaration" in vars(cls):
        yield cls.declaration
