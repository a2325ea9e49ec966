"""A small reader of YAML that remembers where each value stood.

Every mistake is a ConfigError that names the file, the line and the key. Unknown names are mistakes.
"""

from pathlib import Path

import yaml

from .messages import Message, message

SECRET_WORDS = ("key", "secret", "token", "password")


class ConfigError(Exception):
    """A configuration file cannot be used; ``why`` says where and why."""

    def __init__(self, why: Message | str) -> None:
        self.why = _one_line(why)
        super().__init__(self.why)


class Section:
    """A mapping of the file. Values are taken out one by one; what is left over is unknown."""

    def __init__(self, file: Path, node: yaml.Node, name: str) -> None:
        self._file, self.name = file, name
        self._line = node.start_mark.line + 1
        if not isinstance(node, yaml.MappingNode):
            what = name or message("config.word.file")
            raise ConfigError(message("config.not-mapping", file=str(file), line=self._line, what=what))
        self._values: dict[str, yaml.Node] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise ConfigError(message("config.odd-name", file=str(file), line=line))
            if key.value in self._values:
                raise ConfigError(message("config.twice", file=str(file), line=line, key=self._path(key.value)))
            self._values[key.value] = value
        self._lines = {key.value: key.start_mark.line + 1 for key, _ in node.value}
        self._known: list[str] = []

    def _path(self, key: str) -> str:
        return f"{self.name}.{key}" if self.name else key

    def wrong(self, key: str, why: Message | str) -> ConfigError:
        """The error that says where ``key`` stands (or should), and why its value cannot be taken."""
        line = self._lines.get(key, self._line)
        return ConfigError(message("config.at", file=str(self._file), line=line, key=self._path(key), why=why))

    @property
    def line(self) -> int:
        """Where the mapping begins."""
        return self._line

    def take(self, key: str) -> yaml.Node | None:
        self._known.append(key)
        return self._values.get(key)

    def scalar(self, key: str, tag: str, what: Message) -> str | None:
        node = self.take(key)
        if node is None:
            return None
        if not isinstance(node, yaml.ScalarNode) or node.tag != f"tag:yaml.org,2002:{tag}":
            raise self.wrong(key, message("config.must-be", what=what, given=_given(key, node)))
        return str(node.value)

    def text(self, key: str, default: str | None = None) -> str:
        found = self.scalar(key, "str", message("config.a-text"))
        if found is None and default is None:
            raise self.wrong(key, message("config.missing"))
        return found if found is not None else str(default)

    def flag(self, key: str, default: bool) -> bool:
        found = self.scalar(key, "bool", message("config.a-flag"))
        return default if found is None else found.lower() in ("true", "yes", "on")

    def number(self, key: str, default: int | None, lowest: int, highest: int) -> int:
        what = message("config.a-number", lowest=lowest, highest=highest)
        found = self.scalar(key, "int", what)
        if found is None:
            if default is None:
                raise self.wrong(key, message("config.missing"))
            return default
        value = int(found, 10) if found.lstrip("-").isdigit() else lowest - 1
        if not lowest <= value <= highest:
            raise self.wrong(key, message("config.must-be", what=what, given=found))
        return value

    def names(self) -> tuple[str, ...]:
        """Every name in the mapping, for mappings whose names are the user's own."""
        return tuple(self._values)

    def section(self, key: str) -> "Section":
        node = self.take(key) or yaml.MappingNode("tag:yaml.org,2002:map", [], yaml.Mark("", 0, 0, 0, "", 0))
        return Section(self._file, node, self._path(key))

    def sections(self, key: str) -> list["Section"]:
        node = self.take(key)
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            raise self.wrong(key, message("config.not-list"))
        return [Section(self._file, item, f"{self._path(key)}[{index}]") for index, item in enumerate(node.value)]

    def done(self) -> None:
        for key in self._values:
            if key not in self._known:
                allowed = ", ".join(sorted(set(self._known)))
                raise self.wrong(key, message("config.unknown", allowed=allowed))


def compose(path: Path, text: str | None = None) -> Section:
    """The file's mapping; ``text`` is what the file is going to hold. Raises ConfigError."""
    try:
        text = path.read_text(encoding="utf-8") if text is None else text
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(message("config.unreadable", file=str(path), reason=_reason(error))) from error
    try:
        node = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = str(getattr(error, "problem", None) or error).splitlines()[0]
        raise ConfigError(message("config.not-yaml", file=str(path), line=line, problem=problem)) from error
    except RecursionError as error:
        raise ConfigError(message("config.too-deep", file=str(path))) from error
    if node is None:
        raise ConfigError(message("config.empty", file=str(path)))
    return Section(path, node, "")


def _one_line(why: Message | str) -> Message | str:
    """The same, with whatever would break the line (or the terminal) written as Python writes it."""
    if isinstance(why, Message):
        shown = {name: _one_line(one) if isinstance(one, Message | str) else one for name, one in why.values.items()}
        return Message(why.key, shown)
    return why if why.isprintable() else repr(why)[1:-1]


def _given(key: str, node: yaml.Node) -> str:
    """What was given, for the user to recognise; never what may be a secret in the wrong place or of the wrong type."""
    if not isinstance(node, yaml.ScalarNode) or any(word in key.lower() for word in SECRET_WORDS):
        return "..."
    return repr(node.value or "empty")


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)
