"""A small reader of YAML that remembers where each value stood.

Every mistake is a ConfigError that names the file, the line and the key. Unknown names are mistakes.
"""

from pathlib import Path

import yaml


class ConfigError(Exception):
    """A configuration file cannot be used; the message says where and why."""


class Section:
    """A mapping of the file. Values are taken out one by one; what is left over is unknown."""

    def __init__(self, file: Path, node: yaml.Node, name: str) -> None:
        self._file, self.name = file, name
        self._line = node.start_mark.line + 1
        if not isinstance(node, yaml.MappingNode):
            raise ConfigError(f"{file}:{self._line}: {name or 'the file'} must be a mapping (key: value)")
        self._values: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if key.value in self._values:
                raise ConfigError(f"{file}:{key.start_mark.line + 1}: {self._path(key.value)} is given twice")
            self._values[key.value] = value
        self._lines = {key.value: key.start_mark.line + 1 for key, _ in node.value}
        self._known: list[str] = []

    def _path(self, key: str) -> str:
        return f"{self.name}.{key}" if self.name else key

    def wrong(self, key: str, why: str) -> ConfigError:
        return ConfigError(f"{self._file}:{self._lines.get(key, self._line)}: {self._path(key)}: {why}")

    @property
    def line(self) -> int:
        """Where the mapping begins."""
        return self._line

    def take(self, key: str) -> yaml.Node | None:
        self._known.append(key)
        return self._values.get(key)

    def scalar(self, key: str, tag: str, what: str) -> str | None:
        node = self.take(key)
        if node is None:
            return None
        if not isinstance(node, yaml.ScalarNode) or node.tag != f"tag:yaml.org,2002:{tag}":
            raise self.wrong(key, f"must be {what}, not {getattr(node, 'value', '') or 'empty'!r}")
        return str(node.value)

    def text(self, key: str, default: str | None = None) -> str:
        found = self.scalar(key, "str", "a text")
        if found is None and default is None:
            raise self.wrong(key, "is missing")
        return found if found is not None else str(default)

    def flag(self, key: str, default: bool) -> bool:
        found = self.scalar(key, "bool", "true or false")
        return default if found is None else found.lower() in ("true", "yes", "on")

    def number(self, key: str, default: int | None, lowest: int, highest: int) -> int:
        found = self.scalar(key, "int", f"a whole number from {lowest} to {highest}")
        if found is None:
            if default is None:
                raise self.wrong(key, "is missing")
            return default
        value = int(found, 10) if found.lstrip("-").isdigit() else lowest - 1
        if not lowest <= value <= highest:
            raise self.wrong(key, f"must be a whole number from {lowest} to {highest}, not {found}")
        return value

    def section(self, key: str) -> "Section":
        node = self.take(key) or yaml.MappingNode("tag:yaml.org,2002:map", [], yaml.Mark("", 0, 0, 0, "", 0))
        return Section(self._file, node, self._path(key))

    def sections(self, key: str) -> list["Section"]:
        node = self.take(key)
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            raise self.wrong(key, "must be a list")
        return [Section(self._file, item, f"{self._path(key)}[{index}]") for index, item in enumerate(node.value)]

    def done(self) -> None:
        for key in self._values:
            if key not in self._known:
                raise self.wrong(key, f"unknown name; allowed here: {', '.join(sorted(self._known))}")


def compose(path: Path, text: str | None = None) -> Section:
    """The file's mapping; ``text`` is what the file is going to hold. Raises ConfigError."""
    try:
        text = path.read_text() if text is None else text
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    try:
        node = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise ConfigError(f"{path}:{line}: not valid YAML: {getattr(error, 'problem', error)}") from error
    if node is None:
        raise ConfigError(f"{path}:1: the file is empty")
    return Section(path, node, "")
