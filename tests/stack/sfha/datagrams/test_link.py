"""The link between daemons over real sockets on loopback addresses: who is heard, and what it takes."""

import json
import os
import select
import socket
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from harness.stack.sfha.config.load import Mesh, MeshNode
from harness.stack.sfha.datagrams.link import DatagramLink
from harness.stack.sfha.datagrams.unsealed import Unsealed, allowed
from harness.stack.sfha.roster.core import Acceptor, Member, Roster
from harness.stack.sfha.roster.store import PAIRED, state_of, store
from tests.stack.waiting import eventually

PORT = 17778
WITHIN_S = 5.0
PLAIN = b'[1,"release",7,1]'
KEYS = {node: X25519PrivateKey.generate() for node in (1, 2, 3)}


def address(node: int) -> str:
    """On the loopback interface, and no other worker's."""
    high, low = divmod(os.getpid(), 250)
    return f"127.{high % 250 + 1}.{low}.{node}"


def mesh(own: int, *peers: int) -> Mesh:
    def node(number: int) -> MeshNode:
        public = b64encode(KEYS[number].public_key().public_bytes_raw()).decode()
        return MeshNode(number, f"n{number}", address(number), public_key=public)

    private = b64encode(KEYS[own].private_bytes_raw()).decode()
    return Mesh(private, node(own), 24, tuple(node(peer) for peer in peers))


@pytest.fixture
def rooms() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def opened(rooms: ExitStack, own: int, *peers: int, unsealed: Unsealed | None = None) -> DatagramLink:
    link = DatagramLink(mesh(own, *peers), unsealed, PORT)
    rooms.callback(link.close)
    return link


def heard(*links: DatagramLink, until: int, within_s: float = WITHIN_S) -> list[tuple[int, bytes]]:
    """What these hear, served as in a daemon, until there is so much of it, or nothing comes any more."""
    found: list[tuple[int, bytes]] = []
    while len(found) < until and (ready := select.select([link.fileno() for link in links], [], [], within_s)[0]):
        for link in links:
            if link.fileno() in ready and (received := link.receive()) is not None:
                found.append(received)
    return found


def settle(*links: DatagramLink) -> None:
    """Serve all that is under way."""
    while select.select([link.fileno() for link in links], [], [], 0.05)[0]:
        for link in links:
            link.receive()


def plain_socket(rooms: ExitStack, node: int, port: int = PORT) -> socket.socket:
    one = rooms.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    one.bind((address(node), port))
    return one


def test_what_is_said_first_is_heard_though_the_other_starts_later(rooms: ExitStack) -> None:
    one = opened(rooms, 1, 2)
    one.send(2, b"into the dark")
    other = opened(rooms, 2, 1)
    assert heard(one, other, until=1) == [(1, b"into the dark")]
    other.send(None, b"back")
    assert heard(one, other, until=1) == [(2, b"back")]


def test_a_daemon_that_starts_again_is_heard_at_once(rooms: ExitStack) -> None:
    one, other = opened(rooms, 1, 2), opened(rooms, 2, 1)
    one.send(2, b"a")
    assert heard(one, other, until=1) == [(1, b"a")]
    other.close()
    other = opened(rooms, 2, 1)
    other.send(1, b"again")
    assert heard(one, other, until=1) == [(2, b"again")]
    one.send(2, b"b")
    assert heard(one, other, until=1) == [(1, b"b")]


NONSENSE = (PLAIN, b"", b"\xd1" * 80, b"\xd2" * 65, bytes(600))


def test_nothing_unsealed_is_heard(rooms: ExitStack) -> None:
    link, forger = opened(rooms, 2, 1), plain_socket(rooms, 1)
    for datagram in NONSENSE:
        forger.sendto(datagram, (address(2), PORT))
    settle(link)
    assert link.refused == len(NONSENSE)


def test_what_comes_from_another_port_does_not_even_fill_the_queue(rooms: ExitStack) -> None:
    """The port of a daemon is all that it takes to be looked at, and nobody without rights can have it beside it."""
    link, forger = opened(rooms, 2, 1), plain_socket(rooms, 1, PORT + 1)
    for datagram in NONSENSE * 1000:
        forger.sendto(datagram, (address(2), PORT))
    assert not select.select([link.fileno()], [], [], 0.05)[0]
    one = opened(rooms, 1, 2)
    one.send(2, b"heard all the same")
    assert heard(one, link, until=1) == [(1, b"heard all the same")]


def test_a_third_members_seal_is_not_the_firsts(rooms: ExitStack) -> None:
    """The third knows all the public keys, and even sends from the first one's address."""
    link = opened(rooms, 2, 1, 3)
    posing = mesh(3, 2)
    forger = DatagramLink(Mesh(posing.private_key, mesh(1).own, 24, posing.peers), None, PORT)
    rooms.callback(forger.close)
    forger.send(2, b"I am the first")
    settle(link, forger)
    forger.send(2, b"I am the first")
    assert heard(link, forger, until=1, within_s=0.2) == []


def test_who_is_no_member_any_more_is_not_heard(rooms: ExitStack) -> None:
    one, other = opened(rooms, 1, 2), opened(rooms, 2, 1, 3)
    one.send(2, b"in")
    assert heard(one, other, until=1) == [(1, b"in")]
    other.set_peers(mesh(2, 3).peers)
    one.send(2, b"out")
    settle(other)
    assert other.refused == 1


def test_a_peer_whose_key_is_none_costs_nothing_but_that_peer(rooms: ExitStack) -> None:
    broken = Mesh(
        mesh(1).private_key, mesh(1).own, 24, (MeshNode(3, "n3", address(3), public_key="?"), *mesh(1, 2).peers)
    )
    one = DatagramLink(broken, None, PORT)
    rooms.callback(one.close)
    other = opened(rooms, 2, 1)
    one.send(None, b"a")
    assert heard(one, other, until=1) == [(1, b"a")]


# --- a peer that is still to be upgraded ---


def test_a_peer_of_before_is_heard_and_talked_to_until_it_seals(rooms: ExitStack, tmp_path: Path) -> None:
    waits = Unsealed([1], path=tmp_path / "unsealed.json")
    link, old = opened(rooms, 2, 1, unsealed=waits), plain_socket(rooms, 1)
    old.sendto(PLAIN, (address(2), PORT))
    assert heard(link, until=1) == [(1, PLAIN)]
    link.send(1, b"[1]")
    assert old.recv(600) == b"[1]"
    old.close()
    new = opened(rooms, 1, 2)
    new.send(2, b"sealed")
    assert heard(link, new, until=1) == [(1, b"sealed")]
    assert link.unsealed == []
    new.close()
    plain_socket(rooms, 1).sendto(PLAIN, (address(2), PORT))
    assert heard(link, until=1, within_s=0.2) == []


def test_two_that_are_upgraded_one_after_the_other_both_seal(rooms: ExitStack, tmp_path: Path) -> None:
    links = [
        opened(rooms, own, peer, unsealed=Unsealed([peer], path=tmp_path / f"{own}.json"))
        for own, peer in ((1, 2), (2, 1))
    ]
    for link in links:
        link.send(None, PLAIN)
    settle(*links)
    assert [link.unsealed for link in links] == [[], []]
    links[0].send(None, b"sealed")
    assert heard(*links, until=1) == [(1, b"sealed")]


def nothing_logged(event: str, **fields: object) -> None: ...


def test_only_a_cluster_of_before_is_heard_unsealed_and_only_once(tmp_path: Path) -> None:
    path, state = tmp_path / "unsealed.json", tmp_path / "roster.json"
    assert allowed([1, 3], nothing_logged, path, state).among([1, 3]) == [], "a cluster that is made now"
    store(state_of(Acceptor(Roster(1, (Member(1, "n1", address(1), 1, "", ""),), 1))), state)
    assert allowed([1, 3], nothing_logged, path, state).among([1, 3]) == [], "a cluster of this version"
    earlier = json.loads(state.read_text())
    del earlier["sealed"]
    state.write_text(json.dumps(earlier))
    assert allowed([1, 3], nothing_logged, path, state).among([1, 3]) == [1, 3]
    store(state_of(Acceptor(Roster(1, (), 1))), state)
    assert allowed([1, 3, 4], nothing_logged, path, state).among([1, 3, 4]) == [1, 3], "who came later seals"
    path.write_text("[3]")
    assert allowed([1, 3], nothing_logged, path, state).among([1, 3]) == [3]


def test_each_of_the_two_ways_of_before_has_its_own_mark_list_and_event(tmp_path: Path) -> None:
    sealed, paired, state = tmp_path / "unsealed.json", tmp_path / "unpaired.json", tmp_path / "roster.json"
    store(state_of(Acceptor(Roster(1, (), 1))), state)
    assert not allowed([1], nothing_logged, paired, state, PAIRED).among([1])
    earlier = json.loads(state.read_text())
    del earlier["paired"]
    state.write_text(json.dumps(earlier))
    said: list[str] = []

    def log(event: str, **fields: object) -> None:
        said.append(f"{event} {fields}")

    assert not allowed([1, 3], log, sealed, state).among([1, 3])
    older = allowed([1, 3], log, paired, state, PAIRED)
    assert older.among([1, 3]) == [1, 3]
    older.heard_sealed(3)
    assert said == ["peer-paired {'peer': 3}"]
    assert eventually(lambda: paired.read_text() == "[1]\n")
