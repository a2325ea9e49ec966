"""A declarative file: what is wrong is told with its line."""

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stack.multisite.cli.failed import CommandFailed
from harness.stack.multisite.cli.site_file import declared, written
from harness.stack.multisite.inventory.declared import Declared
from tests.stack.multisite.inventories import inventories

GOOD = """\
sites:
  - name: dijon
    priority: 1
services:
  - name: api
    domains: [api.test]
backends:
  - {service: api, site: dijon, addr: 10.200.0.23, port: 8080, health: "http://10.200.0.23:8080/health"}
"""


def test_a_good_file() -> None:
    assert declared("site.yml", GOOD).backends[0].address == "10.200.0.23:8080"


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("priority: 1", "priority: high", "site.yml:3: sites[0].priority: Input should be a valid integer"),
        ("priority: 1", "prio: 1", "site.yml:3: sites[0].prio: Extra inputs are not permitted"),
        ("priority: 1", "name: lyon", "site.yml:3: name is given twice"),
        ("[api.test]", "['*.test']", "site.yml:6: services[0].domains[0]: '*.test': wildcards are not supported"),
        ("site: dijon", "site: rome", "site.yml:1: backend api@10.200.0.23:8080: there is no site rome"),
        ("port: 8080", "port: 99999", "site.yml:8: backends[0].port: Input should be less than or equal to 65535"),
        ("sites:", "sites: [", "site.yml:2: not valid YAML"),
        ("- name: api", "- nothing", "site.yml:6: not valid YAML"),
        (GOOD, "", "site.yml:1: the file is empty"),
        (GOOD, "just words", "site.yml:1: "),
        (GOOD, "sites: &a [*a]", "site.yml: is nested too deeply"),
        (GOOD, "[" * 5000, "site.yml"),
        (GOOD, "a: !!python/object:os.system x", "site.yml:1: not valid YAML"),
        (GOOD, "sites: [{name: 2020-13-45}]", "site.yml:1: "),
        (GOOD, "\x00", "site.yml:1: not valid YAML"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(before: str, after: str, told: str) -> None:
    with pytest.raises(CommandFailed) as error:
        declared("site.yml", GOOD.replace(before, after))
    assert str(error.value).startswith(told), str(error.value)
    assert "\n" not in str(error.value)


@settings(max_examples=30)
@given(inventories())
def test_what_is_written_is_read_again(inventory: Declared) -> None:
    document: dict[str, Any] = inventory.model_dump()
    assert declared("x", written(document)) == Declared.model_validate(document)


KEYS = st.sampled_from(["sites", "services", "backends", "name"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda one: st.lists(one) | st.dictionaries(KEYS, one)
)


@settings(max_examples=50)
@given(ANYTHING)
def test_whatever_is_in_it_is_an_inventory_or_one_line(document: Any) -> None:
    try:
        declared("x", yaml.safe_dump(document))
    except CommandFailed as error:
        assert str(error).startswith("x:")  # noqa: PT017 # either may happen
