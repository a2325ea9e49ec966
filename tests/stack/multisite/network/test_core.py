"""Addresses, what WireGuard is told, and when hands are shaken."""

import ipaddress
from collections.abc import Mapping
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stack.kit.wireguard_peers import SeenPeer
from harness.stack.multisite.network.core import (
    FIRST_PAUSE_S,
    KEEPALIVE_S,
    LAST_PAUSE_S,
    LOST_AFTER_S,
    NETWORK,
    STEADY_S,
    Care,
    Choice,
    Given,
    HubPlace,
    NoRoom,
    Peer,
    Spoke,
    Telling,
    address_for,
    anew,
    announced,
    generation_due,
    hub_address,
    in_force,
    peers_of_hub,
    peers_of_spoke,
    where_it_is,
)

SITES = ("dijon", "lyon", "thory")
moves = st.lists(st.tuples(st.integers(1, 12), st.sampled_from(SITES)), max_size=40)
declarations = st.dictionaries(
    st.sampled_from(SITES), st.integers(0, 5).map(lambda number: f"10.200.{number}.0/24"), max_size=3
).filter(lambda them: len(set(them.values())) == len(them))


def seen(key: str, allowed: str = "", handshake: int = 0, endpoint: str = "192.0.2.1:1") -> dict[str, SeenPeer]:
    return {key: SeenPeer(key, endpoint, allowed, handshake, 0, KEEPALIVE_S)}


@given(moves=moves, declared=declarations)
def test_each_machine_has_an_address_of_its_site_and_nobody_else_has_it(
    moves: list[tuple[int, str]], declared: Mapping[str, str]
) -> None:
    there: dict[str, Given] = {}
    for number, site in moves:
        there[f"m{number}"] = Given(site, address_for(f"m{number}", site, declared, there))
    addresses = [one.address for one in there.values()]
    assert len(set(addresses)) == len(addresses)
    assert hub_address() not in addresses
    of_sites: dict[str, set[str]] = {}
    for one in there.values():
        assert ipaddress.ip_address(one.address) in ipaddress.ip_network(declared.get(one.site, NETWORK))
        of_sites.setdefault(one.site, set()).add(one.address.rpartition(".")[0])
    assert all(len(subnets) == 1 for subnets in of_sites.values()), "a site is in one subnet"
    everyone = [subnet for subnets in of_sites.values() for subnet in subnets]
    assert len(set(everyone)) == len(everyone), "a subnet is of one site"


@given(moves=moves, declared=declarations)
def test_who_has_an_address_keeps_it(moves: list[tuple[int, str]], declared: Mapping[str, str]) -> None:
    there: dict[str, Given] = {}
    for number, site in moves:
        there[f"m{number}"] = Given(site, address_for(f"m{number}", site, declared, there))
    for name, one in there.items():
        assert address_for(name, one.site, declared, there) == one.address


@pytest.mark.parametrize(
    ("declared", "why"),
    [
        ({"dijon": "192.168.0.0/24"}, "is no part of"),
        ({"dijon": "fd00::/64"}, "is no part of"),
        ({"dijon": "10.200.0.0/31", "lyon": "10.200.1.0/24"}, "no address left"),
    ],
)
def test_where_there_is_no_room_it_is_said(declared: Mapping[str, str], why: str) -> None:
    there = {"m9": Given("dijon", "10.200.0.0")}
    with pytest.raises(NoRoom, match=why):
        address_for("m1", "dijon", declared, there)


def test_a_network_that_is_full_is_said() -> None:
    with pytest.raises(NoRoom, match="no subnet left"):
        address_for("m1", "dijon", {"lyon": "10.9.1.0/24"}, {}, "10.9.0.0/23")


@pytest.mark.parametrize(
    ("said", "came_from", "believed"),
    [
        ("192.0.2.7:51820", "192.0.2.7", "192.0.2.7:51820"),
        ("192.0.2.7:51820", "::ffff:192.0.2.7", "192.0.2.7:51820"),
        ("10.0.0.7:51820", "192.0.2.7", ""),
        ("", "192.0.2.7", ""),
    ],
)
def test_an_endpoint_is_believed_of_who_speaks_from_there(said: str, came_from: str, believed: str) -> None:
    assert announced(said, came_from) == believed


def test_the_next_key_has_the_addresses_once_it_has_shaken_hands() -> None:
    spoke = Spoke("m1", "dijon", "10.200.1.1", "old=", "new=")
    before = peers_of_hub([spoke], seen("old=", handshake=5) | seen("new="))
    assert before == [Peer("old=", "10.200.1.1/32"), Peer("new=")]
    after = peers_of_hub([spoke], seen("old=", handshake=5) | seen("new=", handshake=1))
    assert after == [Peer("old="), Peer("new=", "10.200.1.1/32")]
    hubs = [HubPlace(hub_address(place=n), f"h{n}=", "", f"192.0.2.{n}:51820") for n in range(2)]
    assert peers_of_spoke(hubs[:1], "10.200.0.1", NETWORK, {}) == [Peer("h0=", NETWORK, "192.0.2.0:51820")]
    assert [one.allowed for one in peers_of_spoke(hubs, "10.200.0.2", NETWORK, {})] == ["10.200.0.1/32", NETWORK]
    assert in_force("old=", "new=", {}) == "old="


class WireGuard:
    """As wg(8) does what it is told: an address is of one peer, whoever got it last."""

    def __init__(self) -> None:
        self.allowed: dict[str, str] = {}
        self.endpoints: dict[str, str] = {}

    def set(self, words: list[str]) -> None:
        at, key = 0, ""
        while at < len(words):
            match words[at]:
                case "peer":
                    key = words[at + 1]
                    self.allowed.setdefault(key, "")
                    self.endpoints.setdefault(key, "")
                case "remove":
                    del self.allowed[key], self.endpoints[key]
                    at -= 1
                case "endpoint":
                    self.endpoints[key] = words[at + 1]
                case "allowed-ips":
                    for other in self.allowed:
                        if other != key and words[at + 1] and self.allowed[other] == words[at + 1]:
                            self.allowed[other] = ""
                    self.allowed[key] = words[at + 1]
            at += 2

    def seen(self, shaken: frozenset[str] = frozenset()) -> dict[str, SeenPeer]:
        return {
            key: SeenPeer(key, self.endpoints[key], allowed, int(key in shaken), 0, KEEPALIVE_S)
            for key, allowed in self.allowed.items()
        }


keys = st.integers(1, 8).map(lambda number: f"k{number}=")
spokes = st.lists(
    st.tuples(keys, st.one_of(st.just(""), keys)), max_size=4, unique_by=(lambda both: both[0], lambda both: both[1])
).filter(lambda them: not {one for one, _ in them} & {other for _, other in them})


@given(story=st.lists(st.tuples(spokes, st.frozensets(keys)), max_size=8))
def test_whatever_was_there_it_becomes_what_is_wanted_and_then_nothing_is_told(
    story: list[tuple[list[tuple[str, str]], frozenset[str]]],
) -> None:
    telling, real = Telling(), WireGuard()
    for machines, shaken in story:
        wanted = peers_of_hub(
            [Spoke(f"m{n}", "a", f"10.200.1.{n + 1}", key, later) for n, (key, later) in enumerate(machines)],
            real.seen(shaken),
        )
        for words in telling.changes(wanted, real.seen(shaken)):
            real.set(words)
        assert real.allowed == {one.key: one.allowed for one in wanted}
        assert telling.changes(wanted, real.seen(shaken)) == []


def test_what_wireguard_learnt_is_left_until_another_place_is_announced() -> None:
    telling, real = Telling(), WireGuard()
    here, there = (Peer("k=", "10.200.1.1/32", place) for place in ("192.0.2.1:1", "192.0.2.2:1"))

    def told(peer: Peer) -> None:
        for words in telling.changes([peer], real.seen()):
            real.set(words)

    told(here)
    assert real.endpoints["k="] == "192.0.2.1:1"
    real.endpoints["k="] = "198.51.100.1:40000"
    told(here)
    assert real.endpoints["k="] == "198.51.100.1:40000"
    told(there)
    assert real.endpoints["k="] == "192.0.2.2:1"


def test_anew_is_gone_and_there_again_in_one_go() -> None:
    real = WireGuard()
    real.set(anew(Peer("k=", NETWORK, "192.0.2.1:1")))
    assert (real.allowed, real.endpoints) == ({"k=": NETWORK}, {"k=": "192.0.2.1:1"})


def test_a_peer_is_where_it_was_heard_whatever_it_says() -> None:
    said = Peer("k=", "10.200.1.1/32", "10.0.0.1:51820")
    assert where_it_is(said, seen("k=", endpoint="198.51.100.1:4")) == Peer("k=", "10.200.1.1/32", "198.51.100.1:4")
    assert where_it_is(said, {}) == where_it_is(said, seen("k=", endpoint="")) == said


def test_hands_are_shaken_at_once_when_the_address_changes_and_not_while_all_is_well() -> None:
    care, received = Care(), 0
    for tick in range(100):
        received += 32
        assert not care.due(received, "192.0.2.1", tick / 10)
    assert care.due(received + 32, "192.0.2.2", 10.0)
    assert not care.due(32, "192.0.2.2", 10.1)


def test_without_a_way_nothing_is_tried_and_with_another_one_it_is_at_once() -> None:
    care = Care()
    assert not care.due(32, "192.0.2.1", 0.0)
    assert not any(care.due(32, "", tick / 10) for tick in range(1, 300))
    assert care.due(32, "192.0.2.2", 30.0)


@given(ticks=st.integers(50, 600))
def test_silence_is_answered_again_and_again_ever_more_rarely(ticks: int) -> None:
    care = Care()
    care.due(32, "192.0.2.1", 0.0)
    forced = [tick / 10 for tick in range(1, ticks) if care.due(32 if tick < 5 else 0, "192.0.2.1", tick / 10)]
    assert forced[0] == pytest.approx(LOST_AFTER_S, abs=0.5)
    pauses = [later - earlier for earlier, later in pairwise(forced)]
    assert all(FIRST_PAUSE_S - 0.11 <= pause <= LAST_PAUSE_S + 0.11 for pause in pauses)
    assert sorted(pauses) == pytest.approx(pauses, abs=0.11)


def test_all_machines_go_by_the_first_hub_that_is_heard_and_back_when_it_is_steady() -> None:
    choice, both = Choice(), {"a": True, "b": True}
    assert choice.choose({"a": False, "b": False}, 0.0) == "a", "nobody was heard yet"
    assert choice.choose(both, 0.1) == "a"
    assert choice.choose({"a": True, "b": False}, 0.2) == "a"
    assert choice.choose({"a": False, "b": True}, 1.0) == "b"
    assert choice.choose({"a": False, "b": False}, 1.1) == "b", "nobody is better"
    assert choice.choose({"a": False, "b": True}, 1.2) == "b"
    assert choice.choose(both, 2.0) == "b"
    assert choice.choose({"a": False, "b": True}, 2.1) == "b"
    assert choice.choose(both, 3.0) == "b", "it was away meanwhile"
    assert choice.choose(both, 3.0 + STEADY_S) == "a"
    assert choice.choose({"c": True}, 9.0) == "c", "other hubs than before"


@given(story=st.lists(st.tuples(st.booleans(), st.booleans(), st.floats(0.05, 4.0)), max_size=30))
def test_a_hub_that_is_not_heard_is_chosen_only_where_none_is(story: list[tuple[bool, bool, float]]) -> None:
    choice, now_s = Choice(), 0.0
    for first, second, later_s in story:
        now_s += later_s
        well = {"a": first, "b": second}
        assert well[choice.choose(well, now_s)] or not any(well.values())


@pytest.mark.parametrize(
    ("generation", "wanted", "age_s", "changing", "due"),
    [(1, 1, 5, False, 1), (1, 1, 11, False, 2), (1, 2, 5, False, 2), (1, 2, 11, True, 2), (2, 2, 11, False, 3)],
)
def test_a_key_is_replaced_when_it_is_old_or_somebody_asks(
    generation: int, wanted: int, age_s: float, changing: bool, due: int
) -> None:
    assert generation_due(generation, wanted, age_s, 10.0, changing=changing) == due
    assert generation_due(1, 1, 1e9, 0.0, changing=False) == 1
