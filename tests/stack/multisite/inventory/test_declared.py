"""From one inventory to another."""

import pytest
from hypothesis import given
from pydantic import ValidationError

from harness.stack.multisite.inventory.declared import Declared, changes
from harness.stack.multisite.inventory.snapshot import snapshot_of
from tests.stack.multisite.inventories import inventories


def test_what_is_different_is_told_in_an_order_that_can_be_done() -> None:
    site = {"name": "dijon"}
    backend = {"service": "api", "site": "dijon", "host": "10.0.0.1", "port": 80}
    now = Declared.model_validate(
        {"sites": [site], "services": [{"name": "api", "domains": ["a.test"]}], "backends": [backend]}
    )
    wanted = Declared.model_validate(
        {
            "sites": [{"name": "lyon", "priority": 1}],
            "services": [{"name": "api", "domains": ["b.test"]}],
            "backends": [backend | {"site": "lyon", "host": "10.0.0.2"}],
        }
    )
    assert [str(one) for one in changes(now, wanted)] == [
        "- backend api@10.0.0.1:80",
        "+ site lyon",
        "~ service api (domains: ['a.test'] -> ['b.test'])",
        "+ backend api@10.0.0.2:80",
        "- site dijon",
    ]


@given(inventories())
def test_nothing_is_to_be_done_for_what_is_there(inventory: Declared) -> None:
    assert changes(inventory, inventory) == []


@given(inventories())
def test_the_order_of_entries_does_not_matter(inventory: Declared) -> None:
    other = Declared.model_validate(
        {
            "sites": inventory.model_dump()["sites"][::-1],
            "services": inventory.model_dump()["services"][::-1],
            "backends": inventory.model_dump()["backends"][::-1],
        }
    )
    assert snapshot_of(other) == snapshot_of(inventory)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"services": [{"name": "a", "domains": ["x.test"]}, {"name": "b", "domains": ["X.test"]}]}, "belongs to both"),
        ({"sites": [{"name": "a"}, {"name": "a"}]}, "site a is there twice"),
        ({"backends": [{"service": "a", "site": "b", "host": "h", "port": 1}]}, "there is no service a"),
    ],
)
def test_what_does_not_fit_together_is_refused(wrong: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Declared.model_validate(wrong)
