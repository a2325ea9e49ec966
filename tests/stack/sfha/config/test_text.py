"""Sections change, and every other byte of the file stays."""

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from harness.stack.sfha.config.text import TextError, sections_of, with_entry, with_sections

TEXT = """\
# our cluster
cluster:
  name: demo   # the name

# addresses
vips:
- name: web
  ip: 10.0.0.100/24

# what this node is called
node:
  name: n1
"""
SECOND: dict[str, object] = {"name": "second", "ip": "10.0.0.101/24"}


def test_only_the_section_changes() -> None:
    first = sections_of(TEXT, ("vips",))["vips"]
    changed = with_sections(TEXT, {"vips": [*first, SECOND]})
    assert changed == TEXT.replace("100/24\n", "100/24\n- name: second\n  ip: 10.0.0.101/24\n")


def test_a_new_section_goes_to_the_end_and_an_empty_one_goes_away() -> None:
    longer = with_sections(TEXT, {"services": [{"name": "app"}]})
    assert longer == TEXT + "services:\n- name: app\n"
    assert with_sections(longer, {"services": []}) == TEXT
    assert "vips" not in with_sections(TEXT, {"vips": []})


def test_what_is_the_same_is_left_alone_with_its_comments() -> None:
    text = TEXT.replace("  ip:", "  # the public one\n  ip:")
    assert with_sections(text, sections_of(text, ("vips",))) == text


def test_json_stays_json() -> None:
    text = json.dumps({"cluster": {"name": "demo"}, "vips": []})
    assert json.loads(with_sections(text, {"vips": [SECOND]}))["vips"] == [SECOND]


def test_what_yaml_would_change_is_refused() -> None:
    with pytest.raises(TextError, match="characters"):
        with_sections(TEXT, {"services": [{"name": "\x85"}]})


names = st.text(st.characters(min_codepoint=32, max_codepoint=0x24F, exclude_categories=["C"]), min_size=1, max_size=12)
items = st.lists(st.dictionaries(names, st.one_of(names, st.booleans(), st.integers()), min_size=1), max_size=3)


@given(items, items)
def test_what_is_written_is_what_is_read(vips: list[object], services: list[object]) -> None:
    text = with_sections(TEXT, {"vips": vips, "services": services})
    assert sections_of(text, ("vips", "services")) == {"vips": vips, "services": services}
    assert yaml.safe_load(text)["node"] == {"name": "n1"}
    assert text.startswith("# our cluster\n")


ENTRY: dict[str, object] = {"program": "/bin/told"}


@given(st.permutations(["enabled: true", "nodes: {n1: {}}  # here", "safety:\n    grace: 1", "other:\n  - 1\n  - 2"]))
def test_an_entry_comes_and_goes_wherever_it_stands(lines: list[str]) -> None:
    text = "a: 1\nfencing:\n" + "".join(f"  # about it\n  {line}\n" for line in lines) + "\n# next\nb: 2\n"
    added = with_entry(text, "fencing", "notify", ENTRY)
    assert yaml.safe_load(added)["fencing"]["notify"] == ENTRY
    assert with_entry(added, "fencing", "notify", None) == text
    changed = with_entry(added, "fencing", "notify", {"program": "/bin/other"})
    assert changed == added.replace("/bin/told", "/bin/other")


def test_an_entry_at_the_end_of_a_file_without_an_end_of_line() -> None:
    assert with_entry("a:\n    b: 1", "a", "c", {"d": 2}) == "a:\n    b: 1\n    c:\n      d: 2\n"
