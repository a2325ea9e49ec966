"""A declarative file: YAML whose mistakes are told with their line. Pure, given the text."""

from collections.abc import Sequence
from typing import Any

import yaml
from pydantic import ValidationError

from ..inventory.declared import Declared
from .failed import CommandFailed


def declared(name: str, text: str) -> Declared:
    """The inventory in a file. Raises CommandFailed: FILE:LINE: WHERE: WHAT."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        document = yaml.safe_load(text)
        if node is not None:
            _each_key_once(name, node)
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        what = str(getattr(error, "problem", None) or error).splitlines()[0]
        raise CommandFailed(f"{name}:{mark.line + 1 if mark else 1}: not valid YAML: {what}") from error
    except RecursionError as error:
        raise CommandFailed(f"{name}: is nested too deeply") from error
    if node is None:
        raise CommandFailed(f"{name}:1: the file is empty; an inventory without anything is `sites: []`")
    try:
        return Declared.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in first["loc"]).lstrip(".")
        what = first["msg"].removeprefix("Value error, ")
        raise CommandFailed(f"{name}:{_line(node, first['loc'])}: {where}: {what}".replace(": : ", ": ")) from error


def written(document: dict[str, Any]) -> str:
    """The file for an inventory: what is as it would be anyway is left out."""
    plain = Declared.model_validate(document).model_dump(exclude_defaults=True)
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True) if plain else "sites: []\n"


def _line(node: yaml.Node, loc: Sequence[int | str]) -> int:
    line = node.start_mark.line + 1
    for step in loc:
        if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
            continue
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        found = [(key, value) for key, value in pairs if key.value == step]
        if not found:
            break
        line, node = found[0][0].start_mark.line + 1, found[0][1]
    return line


def _each_key_once(name: str, node: yaml.Node) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if str(key.value) in seen:
                raise CommandFailed(f"{name}:{key.start_mark.line + 1}: {key.value} is given twice")
            seen.add(str(key.value))
            _each_key_once(name, value)
    elif isinstance(node, yaml.SequenceNode):
        for one in node.value:
            _each_key_once(name, one)
