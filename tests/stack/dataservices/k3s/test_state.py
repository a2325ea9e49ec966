"""What counts for up, from what kubectl says."""

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from harness.stack.dataservices.k3s import state
from harness.stack.dataservices.k3s.state import why_not
from tests.stack.dataservices.k3s.recorded import (
    NODES,
    Item,
    daemonset,
    deployment,
    node,
    storageclass,
    well,
)

INGRESS = ("daemonset", "keyservices-ingress/ingress", *NODES)
DNS = ("deployment", "kube-system/coredns", "2")


def spoilt(index: int, item: Item | None) -> list[Item]:
    """All is up but for one: another one in its place, or none."""
    items = well()
    items[index : index + 1] = [] if item is None else [item]
    return items


@pytest.mark.promise("S4-60", "S4-61")
@pytest.mark.parametrize("words", [("nodes", *NODES), ("ready", "m-01"), DNS, ("storageclass",), INGRESS])
def test_all_is_up(words: tuple[str, ...]) -> None:
    assert why_not(well(), words) == ""


@pytest.mark.promise("S4-60")
@pytest.mark.parametrize(
    ("items", "why"),
    [
        (spoilt(4, None), "w-02: not in the cluster"),
        (spoilt(4, node("w-02", "Unknown")), "w-02: not ready"),
        (spoilt(0, node("m-01", "False", master=True)), "m-01: not ready"),
        ([*well(), node("w-99")], "w-99: in the cluster, and not in the inventory"),
        ([], "m-01, m-02, m-03, w-01, w-02: not in the cluster"),
        (spoilt(4, node("w-02") | {"status": {}}), "w-02: not ready"),
    ],
)
def test_a_node_that_is_silent_or_strange_is_named(items: list[Item], why: str) -> None:
    assert why_not(items, ("nodes", *NODES)) == why


def test_who_comes_in_waits_for_those_before_it_alone() -> None:
    items = spoilt(2, node("m-03", "Unknown", master=True))
    assert why_not(items, ("ready", "m-01", "m-02")) == ""
    assert why_not(items, ("ready", "m-03")) == "m-03: not ready"


@pytest.mark.promise("S4-61")
@pytest.mark.parametrize(
    ("items", "why"),
    [
        (spoilt(5, None), "there is no deployment kube-system/coredns"),
        (spoilt(5, deployment("default", "coredns", 2, 2)), "there is no deployment kube-system/coredns"),
        (spoilt(5, deployment("kube-system", "coredns", 2, 1)), "kube-system/coredns: 1 of 2 are ready"),
        (spoilt(5, deployment("kube-system", "coredns", 2, 0)), "kube-system/coredns: 0 of 2 are ready"),
    ],
)
def test_a_deployment_that_is_not_up(items: list[Item], why: str) -> None:
    assert why_not(items, DNS) == why


@pytest.mark.promise("S4-58", "S4-61")
@pytest.mark.parametrize(
    ("item", "why"),
    [
        (None, "there is no daemonset keyservices-ingress/ingress"),
        (
            daemonset("keyservices-ingress", "ingress", 4, 4),
            "keyservices-ingress/ingress is for 4 nodes, and there are 5",
        ),
        (daemonset("keyservices-ingress", "ingress", 5, 4), "keyservices-ingress/ingress: 4 of 5 are ready"),
        (
            daemonset("keyservices-ingress", "ingress", 5, 5, host_network=False),
            "keyservices-ingress/ingress is not in the network of its hosts",
        ),
    ],
)
def test_an_ingress_that_is_not_up_on_every_host(item: Item | None, why: str) -> None:
    assert why_not(spoilt(7, item), INGRESS) == why


@pytest.mark.parametrize(("index", "words"), [(5, DNS), (7, INGRESS)])
def test_what_is_said_of_it_before_its_change_was_seen_counts_for_nothing(index: int, words: tuple[str, ...]) -> None:
    items = well()
    items[index]["metadata"]["generation"] = 3
    assert why_not(items, words) == f"{words[1]}: its change was not seen yet"


@pytest.mark.parametrize(
    "spoil", [lambda status: status.update(updatedNumberScheduled=2), lambda status: status.clear()]
)
def test_pods_of_before_a_change_do_not_count(spoil: Callable[[Item], None]) -> None:
    items = well()
    spoil(items[7]["status"])
    assert why_not(items, INGRESS)


@pytest.mark.promise("S4-61")
@pytest.mark.parametrize(
    ("items", "why"),
    [
        (spoilt(8, None), "there is no storage class"),
        (spoilt(8, storageclass(default=False)), "0 of 1 storage classes are the default"),
        ([*well(), storageclass("other")], "2 of 2 storage classes are the default"),
        ([*well(), storageclass("other", default=False)], ""),
    ],
)
def test_there_is_one_storage_class_that_is_taken_by_itself(items: list[Item], why: str) -> None:
    assert why_not(items, ("storageclass",)) == why


def called(words: tuple[str, ...], text: str) -> tuple[int, str]:
    """As a server calls it: alone, with what kubectl says on its standard input."""
    done = subprocess.run(
        [sys.executable, "-I", state.__file__, *words], input=text, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


def test_it_stands_on_its_own() -> None:
    answer = json.dumps({"apiVersion": "v1", "kind": "List", "items": well()})
    assert called(("nodes", *NODES), answer) == (0, "")
    assert called(("nodes", *NODES[1:]), answer) == (1, "m-01: in the cluster, and not in the inventory\n")
    for nonsense in ("", "{}", "[]"):
        assert called(("storageclass",), nonsense)[0] == 2
    assert called(("pods",), answer)[0] == 2
