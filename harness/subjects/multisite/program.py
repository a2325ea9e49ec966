"""One program of this host as a layer over an image: Caddy, and those that others put in its place."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path

from harness.errors import HostError
from harness.images.store import ensure_stored

_ELF = b"\x7fELF"


def found(name: str) -> Path | None:
    """The program itself, beside this Python, inside of the package that brings it, or in PATH."""
    places = [Path(sys.executable).parent / name]
    spec = importlib.util.find_spec(name)
    places += [Path(folder) / "_bin" / name for folder in (spec.submodule_search_locations or () if spec else ())]
    in_path = shutil.which(name)
    places += [Path(in_path)] if in_path else []
    return next((one for one in places if os.access(one, os.X_OK) and _is_program(one)), None)


def _is_program(path: Path) -> bool:
    """What pip makes of an entry point is a script, of no use elsewhere."""
    with path.open("rb") as file:
        return file.read(len(_ELF)) == _ELF


def missing(name: str, package: str) -> str:
    """Why there is no such layer; empty where there is one."""
    return "" if found(name) else f"there is no {name} beside this Python or in PATH: pip install {package}"


def ensure_layer(name: str, package: str) -> Path:
    """The directory to lay over the image: the program in /usr/bin. Raises HostError where there is none."""
    program = found(name)
    if program is None:
        raise HostError(missing(name, package))
    seen = program.stat()
    place = Path("usr/bin") / name

    def build(directory: Path) -> None:
        root = directory / "rootfs"
        target = root / place
        target.parent.mkdir(parents=True)
        for folder in (root, *(root / part for part in place.parents)):
            folder.chmod(0o755)
        shutil.copyfile(program, target)
        target.chmod(0o755)

    return ensure_stored(f"{name}-{seen.st_size}-{seen.st_mtime_ns}", build) / "rootfs"
