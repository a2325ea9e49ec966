"""Changing sections of config.yml and leaving every other byte of it alone. Pure."""

import json
import textwrap

import yaml


class TextError(Exception):
    """The text cannot be changed; the message says why."""


def sections_of(text: str, keys: tuple[str, ...]) -> dict[str, list[object]]:
    """The lists under these keys, as plain data; empty where there is none."""
    document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return {key: list(document.get(key) or []) for key in keys}


def with_sections(text: str, sections: dict[str, list[object]]) -> str:
    """The text with these lists under these keys. What is there already is left as it is, comments included.

    Raises TextError.
    """
    for key, value in sections.items():
        if sections_of(text, (key,))[key] != value:
            text = _with_section(text, key, value)
            if sections_of(text, (key,))[key] != value:
                raise TextError(f"{key} holds characters that YAML does not keep")
    return text


def with_new_section(text: str, key: str, value: dict[str, object]) -> str:
    """The text with one more section, which it does not have yet. Raises TextError."""
    top = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(top, yaml.MappingNode):
        raise TextError("the file is not a mapping")
    if top.flow_style:
        return json.dumps(yaml.safe_load(text) | {key: value}, indent=2, ensure_ascii=False) + "\n"
    return f"{text.rstrip()}\n\n" + yaml.safe_dump({key: value}, sort_keys=False, allow_unicode=True)


def with_entry(text: str, section: str, key: str, value: dict[str, object] | None) -> str:
    """The text with this mapping in a section that it has, or without it (None). The rest is left as it is.

    Raises TextError.
    """
    document = yaml.safe_load(text)
    wanted = {name: one for name, one in document[section].items() if name != key}
    wanted |= {key: value} if value is not None else {}
    if wanted == document[section]:
        return text
    top = yaml.compose(text, Loader=yaml.SafeLoader)
    assert isinstance(top, yaml.MappingNode)  # it has that section
    node = next(node for name, node in top.value if name.value == section)
    changed = _with_section(text, section, wanted) if node.flow_style else _with_block_entry(text, node, key, value)
    if yaml.safe_load(changed) != document | {section: wanted}:
        raise TextError(f"{section}.{key} cannot be written there")
    return changed


def _with_block_entry(text: str, node: yaml.MappingNode, key: str, value: dict[str, object] | None) -> str:
    indent = node.start_mark.column
    fresh = "" if value is None else yaml.safe_dump({key: value}, sort_keys=False, allow_unicode=True)
    fresh = textwrap.indent(fresh, " " * indent)
    starts = [name.start_mark.index - name.start_mark.column for name, _ in node.value]
    for start, end, (name, _) in zip(starts, [*starts[1:], node.end_mark.index], node.value, strict=True):
        if name.value == key:
            return text[:start] + fresh + text[start + len(_own_part(text[start:end])) :]
    end = starts[-1] + len(_own_part(text[starts[-1] : node.end_mark.index]))
    joint = "" if text[:end].endswith("\n") else "\n"
    return text[:end] + joint + fresh + text[end:]


def _with_section(text: str, key: str, value: object) -> str:
    top = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(top, yaml.MappingNode):
        raise TextError("the file is not a mapping")
    if top.flow_style:
        document = yaml.safe_load(text)
        document[key] = value
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    fresh = yaml.safe_dump({key: value}, sort_keys=False, allow_unicode=True) if value else ""
    for index, (name, _) in enumerate(top.value):
        if name.value == key:
            start = name.start_mark.index
            following = top.value[index + 1 :]
            end = following[0][0].start_mark.index if following else len(text)
            return text[:start] + fresh + text[start + len(_own_part(text[start:end])) :]
    joint = "" if not text or text.endswith("\n") else "\n"
    return text + joint + fresh


def _own_part(section: str) -> str:
    """What has a key without the comments and empty lines at its end, which belong to what follows."""
    lines = section.splitlines(keepends=True)
    while len(lines) > 1 and (not lines[-1].strip() or lines[-1].lstrip().startswith("#")):
        lines.pop()
    return "".join(lines)
