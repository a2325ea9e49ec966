"""Faults as a person writes them: the words of a line, or aims and options that somebody else has read."""

from collections.abc import Mapping, Sequence
from typing import Any

from harness.cluster import Cluster
from harness.errors import UsageError
from harness.fault import Fault
from harness.faults.catalogue import catalogue
from harness.faults.declaration import Aim, Declaration, Parameter
from harness.near import meant


def written(line: str) -> Fault[Cluster]:
    """The fault that ``harness fault LINE`` injects, such as "slow n2 --share 0.1". Raises UsageError."""
    name, *words = line.split() or [""]
    declaration = catalogue().get(name)
    if declaration is None:
        raise UsageError(f"there is no fault {name}; there are: {', '.join(catalogue())}{meant(name, catalogue())}")
    aims: list[str] = []
    options: dict[str, Any] = {}
    called = {one.option: one for one in declaration.options}
    rest = iter(words)
    for word in rest:
        if word in called:
            options[called[word].name] = _value(declaration, called[word], next(rest, ""))
        else:
            aims.append(word)
    return made(declaration, aims, options)


def example_of(declaration: Declaration) -> Fault[Cluster]:
    """The fault that its own example injects."""
    return written(f"{declaration.name} {declaration.example}")


def made(declaration: Declaration, aims: Sequence[str], options: Mapping[str, Any]) -> Fault[Cluster]:
    """The fault, aimed by words in the order of its aims; the last one takes several where it says so."""
    wanted = declaration.aims
    if len(aims) > len(wanted) and wanted and not wanted[-1].variadic:
        if len(wanted) > 1 or not _aim(wanted[0]).several:
            raise UsageError(
                f"{declaration.name}: {' '.join(aims)}: it takes {' '.join(_aim(one).word for one in wanted)}"
            )
        aims = [",".join(aims)]
    read = (
        [_aim(wanted[min(place, len(wanted) - 1)]).read(word) for place, word in enumerate(aims)] if wanted else [*aims]
    )
    fault: Fault[Cluster] = declaration.make(*read, **options)
    return fault


def _aim(one: Parameter) -> Aim:
    assert isinstance(one.says, Aim)
    return one.says


def _value(declaration: Declaration, one: Parameter, word: str) -> object:
    try:
        return one.of(word)
    except ValueError:
        raise UsageError(f"{declaration.name}: {one.option} {word!r} is no {one.of.__name__}") from None
