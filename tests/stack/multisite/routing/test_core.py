"""Configurations of the edge: by what they say, and by a real Caddy that takes them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import accumulate
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stack.multisite.inventory.declared import Declared
from harness.stack.multisite.inventory.snapshot import Backend, Service, Snapshot, snapshot_of
from harness.stack.multisite.routing.core import (
    MOST_SHARES,
    Layout,
    canonical,
    configuration,
    digest,
    shares,
)
from tests.stack.multisite.inventories import inventories
from tests.stack.multisite.places import bare_edge, configured, layout_in, take

WEIGHTS = st.lists(st.integers(0, 100), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layout]:
    """A real Caddy."""
    folder = tmp_path_factory.mktemp("edge")
    layout = layout_in(folder)
    with bare_edge(folder, layout):
        yield layout


def pool(*weights: int) -> list[Backend]:
    return [Backend("api", "s", f"10.0.0.{index}", 80, "/", 0, weight) for index, weight in enumerate(weights)]


def proxies(document: dict[str, Any]) -> list[dict[str, Any]]:
    routes = document["apps"]["http"]["servers"]["public"]["routes"]
    return [
        handler
        for route in routes
        for outer in route["handle"]
        for inner in outer.get("routes", [])
        for handler in inner["handle"]
        if handler["handler"] == "reverse_proxy"
    ]


@settings(max_examples=25)
@given(inventories())
def test_caddy_takes_every_inventory(edge: Layout, inventory: Declared) -> None:
    document = configuration(snapshot_of(inventory), edge)
    assert take(edge, document) == ""
    assert canonical(configured(edge)) == canonical(document)


def test_caddy_takes_hundreds_of_services_and_refuses_nothing_of_them(edge: Layout) -> None:
    services = tuple(
        Service(
            f"s{number}",
            (f"s{number}.test",),
            {},
            tuple(
                Backend(f"s{number}", "x", "127.0.0.1", 1 + number + 1000 * one, "/", 0, 1 + one) for one in range(3)
            ),
        )
        for number in range(300)
    )
    document = configuration(Snapshot(services), edge)
    assert take(edge, document) == ""
    assert len(proxies(document)) == 300
    assert take(edge, configuration(Snapshot(), edge)) == ""
    (proxy, *_) = proxies(document)
    assert proxy["health_checks"]["active"]["interval"] == 9_000_000_000  # 1800 verdicts, 200 questions a second


@pytest.mark.parametrize("tls", ["internal", "automatic"])
def test_caddy_takes_each_kind_of_certificates(edge: Layout, tls: Literal["internal", "automatic"]) -> None:
    service = Service("a", ("a.localhost",), {}, tuple(pool(1)))  # no public authority is asked for such a name
    assert take(edge, configuration(Snapshot((service,)), replace(edge, tls=tls))) == ""


def test_a_caddy_that_is_given_nonsense_says_so(edge: Layout) -> None:
    """Else the tests above would show nothing."""
    document = configuration(
        snapshot_of(Declared.model_validate({"services": [{"name": "a", "domains": ["a.b"]}]})), edge
    )
    (proxy,) = proxies(document)
    proxy["load_balancing"]["selection_policy"]["policy"] = "nobody"
    assert "nobody" in take(edge, document)


@given(inventories())
def test_the_same_inventory_gives_the_same_bytes_and_another_another_hash(inventory: Declared) -> None:
    layout = Layout("unix//a", (":80",), "127.0.0.1:1", "127.0.0.1:2", "/v", "/s")
    document = configuration(snapshot_of(inventory), layout)
    assert canonical(document) == canonical(configuration(snapshot_of(inventory), layout))
    more = {"name": "zzz-more", "domains": ["more.test"]}
    other = Declared.model_validate(inventory.model_dump() | {"services": [*inventory.model_dump()["services"], more]})
    assert digest(configuration(snapshot_of(other), layout)) != digest(document)


@given(inventories())
def test_every_backend_with_a_weight_is_there_and_none_without(inventory: Declared) -> None:
    layout = Layout("unix//a", (":80",), "127.0.0.1:1", "127.0.0.1:2", "/v", "/s")
    snapshot = snapshot_of(inventory)
    for service, proxy in zip(snapshot.services, proxies(configuration(snapshot, layout)), strict=True):
        there = {one["dial"] for one in proxy["upstreams"]}
        assert there == {one.address for one in service.backends if one.weight > 0}


def test_only_what_may_be_done_twice_is_tried_twice() -> None:
    layout = Layout("unix//a", (":80",), "127.0.0.1:1", "127.0.0.1:2", "/v", "/s")
    (proxy,) = proxies(configuration(Snapshot((Service("a", ("a.test",)),)), layout))
    (match,) = proxy["load_balancing"]["retry_match"]
    assert match["method"] == ["GET", "HEAD"]


@pytest.mark.parametrize(
    ("weights", "counts"),
    [((3, 1), (3, 1)), ((50, 100), (1, 2)), ((7, 7), (1, 1)), ((0, 5), (0, 1)), ((100, 1), (10, 1))],
)
def test_a_weight_is_a_share(weights: tuple[int, ...], counts: tuple[int, ...]) -> None:
    found = Counter(shares(pool(*weights)))
    assert tuple(found[one.address] for one in pool(*weights)) == counts


@given(WEIGHTS)
def test_shares_are_in_proportion_and_well_mixed(weights: list[int]) -> None:
    backends = pool(*weights)
    order = shares(backends)
    counts = Counter(order)
    heaviest = max(weights)
    for one in backends:
        assert (counts[one.address] > 0) == (one.weight > 0)
        if one.weight:
            assert abs(counts[one.address] / max(counts.values()) - one.weight / heaviest) <= 1 / MOST_SHARES
    # Wherever one stops on the way around, nobody is two turns ahead of a fair share, or two behind.
    for address, count in counts.items():
        for turns, met in enumerate(accumulate(one == address for one in order), start=1):
            assert abs(met - turns * count / len(order)) < 2


def test_who_comes_to_a_place_and_goes_changes_no_configuration() -> None:
    """So nothing is loaded when replicas move."""
    layout = Layout("unix//run/x.sock", (":80",), "127.0.0.1:2020", "127.0.0.1:9900", "/run/v", "/var/x")
    backends = tuple(pool(1, 1))
    taken = tuple(replace(one, idle=True, draining=True) for one in backends)
    one, other = (Snapshot((Service("api", ("api.test",), {}, each),)) for each in (backends, taken))
    assert configuration(one, layout) == configuration(other, layout)
