"""Topologies and image definitions by name: those in ``fixtures`` of the current directory, then those that ship.

What ships is in ``fixtures`` of a source tree, and inside the package where that is installed (pyproject.toml).
"""

from pathlib import Path
from typing import Literal

from harness.errors import UsageError
from harness.near import meant

Kind = Literal["topologies", "images"]

_PACKAGE = Path(__file__).resolve().parent
_SUFFIX = ".toml"


def definitions(kind: Kind, project: Path | None = None) -> dict[str, Path]:
    """The files of that kind, by name; of two with one name the one of the current directory, or of ``project``."""
    here = [place / "fixtures" / kind for place in (Path.cwd(), project) if place is not None]
    folders = (_shipped(kind), *here)
    return {path.stem: path for folder in folders for path in sorted(folder.glob(f"*{_SUFFIX}"))}


def definition_called(kind: Kind, name: str, what: str, project: Path | None = None) -> Path:
    """The file that a user means, by its path or by its name. Raises UsageError, listing what there is."""
    if "/" in name or name.endswith(_SUFFIX):
        if Path(name).is_file():
            return Path(name)
        raise UsageError(f"there is no {what} file {name}")
    found = definitions(kind, project)
    if name in found:
        return found[name]
    known = ", ".join(sorted(found)) or "none"
    unknown = f"'{name}' is neither a file nor one of these names"
    raise UsageError(f"there is no {what} '{name}'; there are: {known} ({unknown}){meant(name, found)}")


def example_suite() -> Path:
    """A suite of somebody else's that ships: what a new one is made from."""
    installed = _PACKAGE / "fixtures" / "suite"
    if installed.is_dir():
        return installed
    (declared,) = (_PACKAGE.parent / "docs/examples").glob("*/pyproject.toml")
    return declared.parent


def _shipped(kind: Kind) -> Path:
    installed = _PACKAGE / "fixtures" / kind
    return installed if installed.is_dir() else _PACKAGE.parent / "fixtures" / kind
