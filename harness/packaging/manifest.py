"""What a package is made of: ``package.toml`` in the product's folder here, beside the files that it names.

    name = "thing"                       # of the package and the command; the folder here is called as in harness/stack
    scripts = ["postinst"]               # dpkg's, from this folder
    configuration = ["/etc/thing.conf"]  # what an upgrade keeps as the administrator left it

    [[file]]                             # put in as it is
    from = "thing.service"
    to = "usr/lib/systemd/system/thing.service"

    [[made]]                             # what the program prints when Python is called so, at build time
    by = ["-m", "thing", "completion", "bash"]
    to = "usr/share/bash-completion/completions/thing"

``{version}`` and ``{date}`` in ``by`` are those of the build. What ends in .gz is compressed.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UsageError

FOLDER = Path(__file__).resolve().parent
FILE_NAME = "package.toml"


@dataclass(frozen=True, slots=True)
class Put:
    """A file of the product's folder here that goes into the package as it is."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Made:
    """A file that the program itself prints: the arguments of Python, and where the file goes."""

    by: tuple[str, ...]
    target: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A ``package.toml``, and the folder that it is in."""

    folder: Path
    name: str
    scripts: tuple[str, ...]
    configuration: tuple[str, ...]
    put: tuple[Put, ...]
    made: tuple[Made, ...]

    @property
    def product(self) -> str:
        """The folder in harness/stack."""
        return self.folder.name

    def file(self, name: str) -> bytes:
        """A file of the folder."""
        return (self.folder / name).read_bytes()


def products() -> list[str]:
    """The products that have a package."""
    return sorted(path.parent.name for path in FOLDER.glob(f"*/{FILE_NAME}"))


def manifest_of(product: str) -> Manifest:
    """The manifest of a product. Raises UsageError where there is none, or something is missing in it."""
    if product not in products():
        raise UsageError(f"there is no product {product!r} with a package; there are: {', '.join(products())}")
    path = FOLDER / product / FILE_NAME
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    try:
        return Manifest(
            folder=path.parent,
            name=str(data["name"]),
            scripts=tuple(data["scripts"]),
            configuration=tuple(data["configuration"]),
            put=tuple(Put(one["from"], one["to"]) for one in data["file"]),
            made=tuple(Made(tuple(one["by"]), one["to"]) for one in data["made"]),
        )
    except KeyError as error:
        raise UsageError(f"{path}: {error} is missing") from error
