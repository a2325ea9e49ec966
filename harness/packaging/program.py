"""The program of a product as it is on a machine: package and node images have the same files at the same places.

In the source the kit stands beside the products; installed, each product brings its own, inside its package: so the
program is called by its own name wherever Python shows one, and products that share a machine do not share a kit.
"""

import re
from pathlib import Path

from harness.errors import UsageError

SOURCE = Path(__file__).resolve().parents[1] / "stack"
KIT = "kit"
# A script of Python itself, so that the process is called by the program's name wherever processes are listed.
# -P: the directory it is called from is not searched for modules; -s: nor is root's home.
WRAPPER = """#!/usr/bin/python3 -sP
import runpy
import sys

sys.path.insert(0, "/usr/lib/{name}")
runpy.run_module("{module}", run_name="__main__", alter_sys=True)
"""
_FROM_KIT = re.compile(rb"^(\s*from )\.(\.+kit\b)", re.MULTILINE)


def library(name: str) -> str:
    """Where the modules of the program of this name are, as a path from the root directory without its slash."""
    return f"usr/lib/{name}"


def command(name: str) -> str:
    """Where the command is."""
    return f"usr/bin/{name}"


def module(name: str) -> str:
    """What Python calls the program."""
    return name.replace("-", "_")


def program(product: str, source: Path = SOURCE, name: str | None = None) -> dict[str, bytes]:
    """Path from the root directory -> content of every file of the program.

    ``source`` is the folder harness/stack, ``product`` the one in it; ``name`` is the command's, where that is another.
    Raises UsageError where the source is not complete.
    """
    name = name or product
    modules, kit = _modules(source / product), _modules(source / KIT)
    if Path("__main__.py") not in modules:
        raise UsageError(f"the program is not complete: {source / product / '__main__.py'} is missing")
    if any(path.parts[0] in (KIT, f"{KIT}.py") for path in modules):
        raise UsageError(f"{product} must have nothing called {KIT} of its own: that is where the kit goes")
    package = f"{library(name)}/{module(name)}"
    files = {f"{package}/{path}": _with_own_kit(content) for path, content in modules.items()}
    files |= {f"{package}/{KIT}/{path}": content for path, content in kit.items()}
    return files | {command(name): WRAPPER.format(name=name, module=module(name)).encode()}


def _modules(folder: Path) -> dict[Path, bytes]:
    """What is neither a test nor made by Python itself; templates and scripts are of the program as well."""
    found = {path.relative_to(folder): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {path: file.read_bytes() for path, file in found.items() if not {"tests", "__pycache__"} & set(path.parts)}


def _with_own_kit(content: bytes) -> bytes:
    """The kit is one folder nearer when it is installed: `from ...kit` becomes `from ..kit`."""
    return _FROM_KIT.sub(rb"\1\2", content)
