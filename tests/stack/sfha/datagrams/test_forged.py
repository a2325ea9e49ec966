"""Datagrams and requests by the thousand that no daemon has made: none has an effect, and none raises anything.

Three make them. An *outsider* has nothing but what went over the wire. A *user* on a member sends from that member's
address and has seen a used token. A *removed* node has keys that were good: the cluster's, and those it had in common
with each. How many there are of each kind is FORGERIES (FORGERIES=1000000 takes some minutes).
"""

import asyncio
import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest

from harness.stack.sfha.datagrams.core.seals import HELLO, HELLO_BYTES, MESSAGE, Seals
from harness.stack.sfha.p2p.core import (
    Door,
    Request,
    key_of_cluster,
    key_of_pair,
    key_of_token,
    nonce_for,
    sign,
)
from harness.stack.sfha.p2p.http import MAC, NONCE, SENDER, TIME, ProtocolError, read_message

COUNT = int(os.environ.get("FORGERIES", "15000"))
FIRST, SECOND, REMOVED = 1, 2, 3
NOW_S = 1_700_000_000.0
AUTHKEY, LIFE = b"k" * 128, "l" * 16


@dataclass
class Cluster:
    """Two members that talk, a third that was removed, and all that anybody has heard of them."""

    chance: random.Random
    recorded: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.secrets = {pair: self.chance.randbytes(32) for pair in ((1, 2), (1, 3), (2, 3))}
        self.former = self.life(REMOVED, FIRST, SECOND)
        earlier = self.life(FIRST, SECOND, REMOVED), self.life(SECOND, FIRST, REMOVED)
        self.converse({FIRST: earlier[0], SECOND: earlier[1], REMOVED: self.former})
        self.first, self.second = self.life(FIRST, SECOND, REMOVED), self.life(SECOND, FIRST, REMOVED)
        self.converse({FIRST: self.first, SECOND: self.second, REMOVED: self.former})
        self.first.set_peers({SECOND: self.secrets[1, 2]})
        self.second.set_peers({FIRST: self.secrets[1, 2]})

    def life(self, own: int, *peers: int) -> Seals:
        seals = Seals(own, self.chance.randbytes(8), self.chance.randbytes(32))
        seals.set_peers({peer: self.secrets[min(own, peer), max(own, peer)] for peer in peers})
        return seals

    def converse(self, nodes: dict[int, Seals]) -> None:
        for number in range(20):
            for sender, seals in nodes.items():
                for to in nodes.keys() - {sender}:
                    self.bring(nodes, sender, to, seals.seal(to, b"%d" % number))

    def bring(self, nodes: dict[int, Seals], sender: int, to: int, datagram: bytes) -> None:
        self.recorded.append(datagram)
        opened = nodes[to].open(sender, datagram)
        for reply in opened.replies if opened is not None else ():
            self.bring(nodes, to, sender, reply)

    def still_talk(self) -> None:
        """One message each way comes through at once: nobody has lost the other, or was put back."""
        for sender, of, receiver, to in (
            (self.first, FIRST, self.second, SECOND),
            (self.second, SECOND, self.first, FIRST),
        ):
            opened = receiver.open(of, sender.seal(to, b"genuine"))
            assert opened is not None
            assert opened.message == b"genuine"


def outsider(cluster: Cluster) -> bytes:
    """Noise, noise that looks like a datagram, and what was recorded, as it was or changed a little."""
    chance = cluster.chance
    match chance.randrange(5):
        case 0:
            return chance.randbytes(chance.randrange(600))
        case 1:
            return bytes([MESSAGE]) + chance.randbytes(chance.randrange(40, 200))
        case 2:
            return bytes([HELLO]) + chance.randbytes(HELLO_BYTES - 1)
        case 3:
            return chance.choice(cluster.recorded)
    changed = bytearray(chance.choice(cluster.recorded))
    for _ in range(chance.randrange(1, 4)):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed[: chance.choice((len(changed), chance.randrange(len(changed))))])


def removed(cluster: Cluster) -> bytes:
    """What the keys of a node that was removed can make, and, once, its datagrams for one put under another's name."""
    chance, to = cluster.chance, cluster.chance.choice((FIRST, SECOND))
    made = cluster.former.seal(to, b"lead") if chance.random() < 0.7 else cluster.former.hello(to)
    if chance.random() < 0.3:
        other = cluster.life(REMOVED, FIRST, SECOND)
        return other.seal(to, b"lead")
    return made


@pytest.mark.parametrize("forge", [outsider, removed])
def test_forged_datagrams_have_no_effect(forge: Callable[[Cluster], bytes]) -> None:
    cluster = Cluster(random.Random(11))
    for number in range(COUNT):
        datagram = forge(cluster)
        for receiver in (cluster.first, cluster.second):
            for source in (FIRST, SECOND, REMOVED, 9):
                opened = receiver.open(source, datagram)
                assert opened is None or opened.message is None, f"number {number} was believed"
        if number % 500 == 0:
            cluster.still_talk()
    cluster.still_talk()


# --- requests ---


OF_CLUSTER = key_of_cluster(AUTHKEY)
KEYS = {name: key_of_pair(name.encode() * 16) for name in ("n1", "n2", "n3")}
ADDRESSES = {"n1": "10.90.0.1", "n2": "10.90.0.2"}
USED = "token:" + "a" * 24
BODIES = (b"", b"{}", b'{"name":"n2","force":true}', b"[" * 200, b"\xff\xfe", b'{"a":1e999}')


def door() -> Door:
    """As a member has it: keys for members at their addresses, none for removed nodes, none for used tokens."""

    def keys_for(sender: str, address: str) -> Sequence[bytes]:
        return (KEYS[sender],) if ADDRESSES.get(sender) == address else ()

    return Door(keys_for, LIFE, knows=lambda address: address in ADDRESSES.values())


def forged_request(chance: random.Random, genuine: list[Request]) -> tuple[Request, str]:
    """A request that no member has just made, and where it comes from."""
    address = chance.choice((*ADDRESSES.values(), "10.90.0.3", "192.0.2.1"))
    match chance.randrange(5):
        case 0:  # a user without the key, from a member's address
            made = _request(chance, chance.choice(("n1", "n2", "n3", USED, "")))
            return replace(made, mac=sign(chance.randbytes(32), made)), address
        case 1:  # with the key of a token
            made = _request(chance, chance.choice(("n1", "n2", USED)))
            return replace(made, mac=sign(key_of_token(AUTHKEY, "a" * 24), made)), address
        case 2:  # a removed node, maybe with a user on a member: it has Corosync's key, and that of its own pair
            made = _request(chance, chance.choice(("n1", "n2", "n3")))
            return replace(made, mac=sign(chance.choice((OF_CLUSTER, KEYS["n3"])), made)), address
        case 3:  # a recording of this life, or of an earlier one
            return chance.choice(genuine), address
    one = chance.choice(genuine)
    name = chance.choice(("method", "path", "sender", "to", "at_s", "nonce", "body", "mac"))
    values: dict[str, object] = {
        "method": "PUT",
        "path": "/node/remove",
        "sender": "n2" if one.sender == "n1" else "n1",
        "to": "n1" if one.to == "n2" else "n2",
        "at_s": one.at_s + chance.randrange(1, 100),
        "nonce": nonce_for(chance.randbytes(8).hex(), LIFE),
        "body": one.body + b" ",
        "mac": one.mac[:-1] + ("0" if one.mac[-1] != "0" else "1"),
    }
    return replace(one, **{name: values[name]}), address  # type: ignore[arg-type]


def _request(chance: random.Random, sender: str) -> Request:
    nonce = nonce_for(chance.randbytes(16).hex(), chance.choice((LIFE, "m" * 16, "")))
    path = chance.choice(("/leave", "/registration", "/full-config"))
    return Request("POST", path, sender, "n2", int(NOW_S) + chance.randrange(-70, 70), nonce, chance.choice(BODIES))


def test_forged_requests_are_not_let_in() -> None:
    chance, one = random.Random(12), door()
    genuine = []
    for number in range(50):
        made = _request(chance, "n1")
        life = LIFE if number % 2 else "m" * 16
        made = replace(made, at_s=int(NOW_S), to="n2", nonce=nonce_for(chance.randbytes(16).hex(), life))
        made = replace(made, mac=sign(KEYS["n1"], made))
        genuine.append(made)
        assert (one.admit(made, "10.90.0.1", NOW_S) is not None) == (life == LIFE)
    for _ in range(COUNT):
        request, address = forged_request(chance, genuine)
        assert one.admit(request, address, NOW_S + chance.randrange(-60, 60)) is None
    last = replace(genuine[0], nonce=nonce_for("last", LIFE))
    assert one.admit(replace(last, mac=sign(KEYS["n1"], last)), "10.90.0.1", NOW_S) == KEYS["n1"]


async def test_mutated_bytes_are_read_or_refused_and_never_let_in() -> None:
    chance, one = random.Random(13), door()
    body = b'{"name": "n2"}'
    made = Request("POST", "/leave", "n1", "n2", int(NOW_S), nonce_for("0" * 32, LIFE), body)
    head = [f"{SENDER}: n1", f"{TIME}: {made.at_s}", f"{NONCE}: {made.nonce}", f"{MAC}: {sign(KEYS['n1'], made)}"]
    text = "\r\n".join(["POST /leave HTTP/1.1", *head, f"Content-Length: {len(body)}", "", ""]).encode() + body
    assert one.admit(replace(made, mac=sign(KEYS["n1"], made)), "10.90.0.1", NOW_S) == KEYS["n1"], (
        "from now on it is a recording"
    )
    for _ in range(COUNT // 3):
        changed = bytearray(text)
        for _ in range(chance.randrange(6)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        reader = asyncio.StreamReader()
        reader.feed_data(bytes(changed[: chance.choice((len(changed), chance.randrange(len(changed))))]))
        reader.feed_eof()
        try:
            message = await read_message(reader)
        except ProtocolError:
            continue
        headers, at = message.headers, message.headers.get(TIME, "")
        request = Request(
            message.first[0],
            message.first[1],
            headers.get(SENDER, ""),
            "n2",
            int(at) if at.isascii() and at.isdigit() and len(at) < 16 else 0,
            headers.get(NONCE, ""),
            message.body,
            headers.get(MAC, ""),
        )
        assert one.admit(request, "10.90.0.1", NOW_S) is None
