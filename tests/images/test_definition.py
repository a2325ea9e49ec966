"""Image definitions: what is refused, and when the hash changes."""

import os
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.images.definition import ImageDefinition, find_definition, load_definition, parse_definition

ROOT = Path(__file__).parents[2]
texts = st.text(st.characters(codec="ascii", exclude_categories=("C", "Z")), min_size=1)
definitions = st.builds(
    ImageDefinition,
    suite=texts,
    packages=st.lists(texts, min_size=1).map(tuple),
    exclude=st.lists(texts).map(tuple),
    commands=st.lists(texts).map(tuple),
)


def test_the_definitions_of_this_tree_are_valid() -> None:
    definition = load_definition(find_definition("node"))
    assert definition.suite == "trixie"
    assert {"corosync", "wireguard-go", "etcd-server", "tini"} <= set(definition.packages)


@given(definitions, definitions)
def test_the_hash_is_that_of_the_content(one: ImageDefinition, other: ImageDefinition) -> None:
    assert (one.content_hash() == other.content_hash()) == (one == other)


@given(definitions)
def test_every_field_counts(definition: ImageDefinition) -> None:
    for field in fields(definition):
        value = getattr(definition, field.name)
        other: Any = f"{value}x" if isinstance(value, str) else (*value, "x")
        changed = replace(definition, **{field.name: other})
        assert changed.content_hash() != definition.content_hash(), field.name


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"suite": "trixie"}, "x.toml: the key 'packages' is missing"),
        (
            {"suite": "trixie", "packages": [], "package": []},
            "x.toml: unknown key 'package'; allowed are suite, packages",
        ),
        ({"suite": "", "packages": []}, "x.toml: suite = '': a text that is not empty is needed"),
        ({"suite": "trixie", "packages": "corosync"}, "x.toml: packages = 'corosync': a list of texts is needed"),
        ({"suite": "trixie", "packages": [1]}, r"x.toml: packages = \[1\]: a list of texts is needed"),
        (
            {"suite": "trixie", "packages": [], "variant": "tiny"},
            "x.toml: variant = 'tiny': allowed are apt, essential",
        ),
    ],
)
def test_a_bad_definition_is_refused_by_name(table: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_definition(table, "x.toml")


def test_a_file_that_is_no_toml_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text('suite = "trixie"\npackages = [\n')
    with pytest.raises(UsageError, match=r"broken\.toml: .*"):
        load_definition(path)


def test_an_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(UsageError, match=r"no image definition 'nod'; there are: containers, .*node, "):
        find_definition("nod")


def test_it_is_utf_8_whatever_the_locale(tmp_path: Path) -> None:
    path = tmp_path / "accents.toml"
    path.write_text("\ufeff" + 'suite = "trixie" # nœud\npackages = []\ncommands = ["echo é"]\n', encoding="utf-8")
    code = f"from harness.images.definition import *; print(ascii(load_definition(Path({str(path)!r})).commands[0]))"
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | ascii_only, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{'echo é'!a}\n"
