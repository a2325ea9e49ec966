"""What an image is made of: a TOML file, and the hash of what it says."""

import hashlib
import json
import tomllib
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from harness.errors import UsageError
from harness.shipped import definition_called

RECIPE = 3
"""Raised when the way of building changes, so that images built the old way are not taken for new ones."""

VARIANTS = ("apt", "essential", "minbase", "standard")


@dataclass(frozen=True, slots=True)
class ImageDefinition:
    """The contents of an image definition file; see fixtures/images/node.toml for what each key means."""

    suite: str
    packages: tuple[str, ...]
    offered: tuple[str, ...] = ()
    variant: str = "minbase"
    components: tuple[str, ...] = ("main",)
    exclude: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    enabled_units: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()

    @property
    def boots_systemd(self) -> bool:
        """Whether process 1 of its nodes is systemd, which not every engine can boot."""
        return "systemd-sysv" in self.packages

    def content_hash(self) -> str:
        """16 hexadecimal digits that change whenever the built image could."""
        text = json.dumps([RECIPE, asdict(self)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def find_definition(name: str) -> Path:
    """The definition file of that name, or path. Raises UsageError, listing what there is, when there is none."""
    return definition_called("images", name, "image definition")


def load_definition(path: Path) -> ImageDefinition:
    """Read a definition; raises UsageError naming file, key and what is allowed."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: {error}") from error
    return parse_definition(table, str(path))


def parse_definition(table: dict[str, object], where: str) -> ImageDefinition:
    """Check a table read from TOML; ``where`` names it in errors."""
    known = [field.name for field in fields(ImageDefinition)]
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise UsageError(f"{where}: unknown key '{unknown[0]}'; allowed are {', '.join(known)}")
    for key in ("suite", "packages"):
        if key not in table:
            raise UsageError(f"{where}: the key '{key}' is missing")
    variant = _text(table, "variant", where, default="minbase")
    if variant not in VARIANTS:
        raise UsageError(f"{where}: variant = '{variant}': allowed are {', '.join(VARIANTS)}")
    return ImageDefinition(
        suite=_text(table, "suite", where),
        packages=_texts(table, "packages", where),
        offered=_texts(table, "offered", where),
        variant=variant,
        components=_texts(table, "components", where, default=("main",)),
        exclude=_texts(table, "exclude", where),
        keep=_texts(table, "keep", where),
        enabled_units=_texts(table, "enabled_units", where),
        commands=_texts(table, "commands", where),
    )


def _text(table: dict[str, object], key: str, where: str, *, default: str = "") -> str:
    value = table.get(key, default)
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"{where}: {key} = {value!r}: a text that is not empty is needed")
    return value


def _texts(table: dict[str, object], key: str, where: str, *, default: tuple[str, ...] = ()) -> tuple[str, ...]:
    value = table.get(key, default)
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) and item.strip() for item in value):
        raise UsageError(f"{where}: {key} = {value!r}: a list of texts is needed")
    return tuple(value)
