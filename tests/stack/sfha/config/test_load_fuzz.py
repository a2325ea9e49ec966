"""No file, however wrong, gets more out of the configuration than a ConfigError of one line."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stack.sfha.cli.example import EXAMPLE
from harness.stack.sfha.config.load import ConfigError, load_config, load_mesh

PATH = Path("/etc/sfha/config.yml")
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.sampled_from(
    ["http://[", "host:²", "10.0.0.1/24", "fd00::1/200", "x:99999", "a b", "'", "1:2:3", "http://h:0/", "http://h:x/"]
)  # fmt: skip
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


def whole_example() -> str:
    """The example with everything in it that is commented out."""
    wanted = re.compile(r"^(\s*)# (\s*(?:[\w-]+:|- ).*)$")
    lines = EXAMPLE.splitlines()[3:]
    return "\n".join(wanted.sub(r"\1\2", line) for line in lines) + "\n"


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        found += places(value, (*path, key))
    return found


def changed(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The document with another value at a place."""
    copy = json.loads(json.dumps(document))
    node = copy
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return copy


def check(text: str) -> None:
    said = ""
    try:
        load_config(PATH, text)
    except ConfigError as error:
        said = str(error)
    assert said == "" or (said.startswith(str(PATH)) and len(said.splitlines()) == 1)


def test_the_example_is_good_also_with_everything_in_it() -> None:
    assert load_config(PATH, EXAMPLE).cluster == "demo"
    config = load_config(PATH, whole_example())
    assert config.stonith is not None
    assert config.stonith.enabled
    assert [service.name for service in config.resources.services] == ["proxy"]
    assert len(config.resources.constraints) == 2


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_any_value_anywhere_is_taken_or_named(data: st.DataObject) -> None:
    document = yaml.safe_load(whole_example())
    path = data.draw(st.sampled_from(places(document)))
    check(yaml.safe_dump(changed(document, path, data.draw(VALUES)), allow_unicode=True))


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_any_text_is_refused_in_one_line(text: str) -> None:
    check(text)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_damaged_file_is_refused_in_one_line(data: st.DataObject) -> None:
    text = whole_example()
    start = data.draw(st.integers(0, len(text)))
    check(text[:start] + data.draw(st.text(max_size=5)) + text[start + data.draw(st.integers(0, 40)) :])


@pytest.mark.parametrize("odd", ["a\x85b", "a\u2028b", "a\x1b[2Jb", "a\nb"])
def test_what_would_break_the_line_is_written_out(odd: str) -> None:
    for document in ({odd: 1}, {"cluster": {"name": "demo", odd: 1}}, {"constraints": [{"order": odd, "then": "x"}]}):
        whole = yaml.safe_load(EXAMPLE) | document
        with pytest.raises(ConfigError) as error:
            load_config(PATH, yaml.safe_dump(whole))
        assert str(error.value).isprintable()
        assert repr(odd)[1:-1] in str(error.value)


SECRET = "c2VjcmV0"


@pytest.mark.parametrize("wrong", [{"token_secret": {"a": SECRET}}, {"token_secret": [SECRET]}, {"token_id": SECRET}])
def test_a_secret_in_the_wrong_form_is_not_shown(wrong: dict[str, object]) -> None:
    document = yaml.safe_load(whole_example())
    document["stonith"]["proxmox"] |= wrong
    with pytest.raises(ConfigError) as error:
        load_config(PATH, yaml.safe_dump(document))
    assert SECRET not in str(error.value)


def test_a_number_for_a_private_key_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "mesh.json"
    path.write_text('{"node_id": 1, "name": "n1", "address": "10.90.0.1/24", "private_key": 4711, "peers": []}')
    with pytest.raises(ConfigError) as error:
        load_mesh(path)
    assert "4711" not in str(error.value)
