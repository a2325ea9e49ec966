"""A stranger who hears what nodes are told, and tells it them again: what it sends, and how that is seen."""

import asyncio
import random
from collections import deque
from contextlib import suppress
from dataclasses import replace
from typing import Annotated, ClassVar

from harness.cluster import Cluster
from harness.errors import FabricError, UsageError
from harness.fabric.canary import End
from harness.fabric.sieve import of_port
from harness.fabric.tap import ANY_ETHERTYPE, ETHERTYPE_IPV4, Tap
from harness.fault import Effect, Seen
from harness.faults.declaration import Choice, Nodes, Quantity
from harness.faults.declared import judged, whom
from harness.faults.strangers import FromStranger

_LONGEST_FRAME_BYTES = 1514
_LONGEST_PAYLOAD_BYTES = 1400
_KEPT = 1000
_TICK_S = 0.01
_AT_ONCE_S = 0.05
"""What is due after a longer pause, in which a busy host did not let us run, is not made up for."""
_UDP = 17
_WINDOW_S = 0.2


class Captured:
    """What was heard on its way to one node: each payload once, the newest of them."""

    def __init__(self, kept: int = _KEPT) -> None:
        self._frames: deque[bytes] = deque()
        self._payloads: set[bytes] = set()
        self._kept = kept

    def __len__(self) -> int:
        return len(self._frames)

    def __contains__(self, payload: bytes) -> bool:
        return payload in self._payloads

    def take(self, frame: bytes) -> None:
        """Keep it, unless it says nothing, or nothing new."""
        payload = payload_of(frame)
        if not payload or payload in self._payloads or len(frame) > _LONGEST_FRAME_BYTES:
            return
        self._frames.append(frame)
        self._payloads.add(payload)
        if len(self._frames) > self._kept:
            self._payloads.discard(payload_of(self._frames.popleft()))

    def drawn(self, chance: random.Random) -> bytes:
        """One of them."""
        return self._frames[chance.randrange(len(self._frames))]


def payload_of(frame: bytes) -> bytes:
    """What a UDP or TCP packet in an Ethernet frame carries."""
    head = 14 + 4 * (frame[14] & 0xF)
    end = 14 + int.from_bytes(frame[16:18], "big")
    own = 8 if frame[23] == _UDP else 4 * (frame[head + 12] >> 4)
    return frame[head + own : end]


def mutated(payload: bytes, other: bytes, chance: random.Random) -> bytes:
    """Something else that looks much like it: bits flipped, bytes replaced, shorter, longer, or with another's end."""
    made = bytearray(payload)
    match chance.randrange(5):
        case 0:
            for bit in chance.sample(range(8 * len(made)), min(8 * len(made), chance.randrange(1, 9))):
                made[bit // 8] ^= 1 << bit % 8
        case 1:
            at = chance.randrange(len(made))
            made[at : at + 8] = chance.randbytes(len(made[at : at + 8]))
        case 2:
            del made[chance.randrange(len(made)) :]
        case 3:
            made += chance.randbytes(chance.randrange(1, 200))
        case _:
            made[chance.randrange(len(made)) :] = other[chance.randrange(len(other)) :]
    if made == payload:
        made += b"\x00"
    return bytes(made[:_LONGEST_PAYLOAD_BYTES])


def sent_again(frame: bytes, source_mac: str, target_mac: str, payload: bytes | None = None) -> bytes:
    """The frame as a stranger sends it, under the address that it had: word for word, or with another payload.

    The sums are made anew: what is heard before it leaves a host may have none yet. (By hand, since whole packets of
    scapy take a millisecond each.)
    """
    from scapy.utils import checksum

    said = payload_of(frame) if payload is None else payload
    length = 4 * (frame[14] & 0xF)
    head, is_udp = bytearray(frame[14 : 14 + length]), frame[23] == _UDP
    end = 14 + length + (8 if is_udp else 4 * (frame[14 + length + 12] >> 4))
    segment, place = bytearray(frame[14 + length : end]), 6 if is_udp else 16
    own = (len(segment) + len(said)).to_bytes(2, "big")
    head[2:4] = (length + len(segment) + len(said)).to_bytes(2, "big")
    head[10:12] = b"\0\0"
    head[10:12] = checksum(bytes(head)).to_bytes(2, "big")
    if is_udp:
        segment[4:6] = own
    segment[place : place + 2] = b"\0\0"
    total = checksum(bytes(head[12:20]) + b"\0" + frame[23:24] + own + bytes(segment) + said)
    segment[place : place + 2] = (total or 0xFFFF).to_bytes(2, "big")  # of UDP 0 says that there is none
    macs = bytes.fromhex(target_mac.replace(":", "") + source_mac.replace(":", ""))
    return macs + frame[12:14] + bytes(head) + bytes(segment) + said


class Replaying(FromStranger):
    """Datagrams to nodes, from and to one port, are heard on their way and sent again by a stranger."""

    ethertype = ETHERTYPE_IPV4
    bites_within_s = 10.0
    changes: ClassVar[bool]
    _ears: End
    _chance: random.Random

    def __init__(
        self,
        nodes: Nodes,
        port: Annotated[int, Quantity("", 1, 65535, "the port that they are sent from or to")],
        protocol: Annotated[str, Choice(("udp", "tcp"), "the protocol")] = "udp",
        rate: Annotated[int, Quantity("datagrams/s", 1, 2000, "how many a second")] = 100,
    ) -> None:
        self._whom = whom(nodes)
        self._port, self._protocol, self._rate = port, protocol, rate

    def _meant(self, cluster: Cluster) -> tuple[str, ...]:
        nodes, topology = self._whom(cluster), cluster.topology
        places = {topology.place_of(node) for node in nodes}
        if topology.lan == "routed" and len(places) > 1:
            raise UsageError(f"{self.name}: {', '.join(nodes)} are in several networks, and a stranger is in one")
        self._chance = random.Random(cluster.random.random())
        self._captured = {node: Captured() for node in nodes}
        self._addresses = {bytes(map(int, cluster.plan.address(node).split("."))): node for node in nodes}
        self._macs = {node: cluster.plan.mac(node) for node in nodes}
        self._ears = cluster.fabric.everywhere
        return nodes

    def _place(self, cluster: Cluster) -> str:
        return cluster.topology.place_of(self.targets[0])

    async def _act(self, tap: Tap, me: End) -> None:
        ears = Tap(self._ears, ANY_ETHERTYPE, of_port(self._protocol, self._port))
        listening = asyncio.create_task(self._listen(ears, bytes.fromhex(me.mac.replace(":", ""))))
        try:
            await self._speak(tap, me)
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError, FabricError):
                await listening
            await ears.close()

    async def _listen(self, ears: Tap, mine: bytes) -> None:
        while True:
            frame = await ears.next()
            node = self._addresses.get(frame[30:34])
            if node is not None and frame[6:12] != mine:
                self._captured[node].take(frame)

    async def _speak(self, tap: Tap, me: End) -> None:
        sent, began_s = 0, asyncio.get_running_loop().time()
        while True:
            due = int((asyncio.get_running_loop().time() - began_s) * self._rate)
            told = [node for node, kept in self._captured.items() if kept]
            for number in range(sent, min(due, sent + max(1, int(self._rate * _AT_ONCE_S)))):
                if told:
                    tap.say(self._said_to(told[number % len(told)], me.mac))
            sent = due
            await asyncio.sleep(_TICK_S)

    def _said_to(self, node: str, mac: str) -> bytes:
        known, chance = self._captured[node], self._chance
        frame, payload = known.drawn(chance), None
        if self.changes:
            payload = mutated(payload_of(frame), payload_of(known.drawn(chance)), chance)
        return sent_again(frame, mac, self._macs[node], payload)

    async def _look(self, cluster: Cluster, hearers: list[str]) -> Seen:
        """Listen at each target for somewhat longer than from one to the next."""
        there = [node for node in self.targets if cluster.is_reachable(node)]
        within_s = max(_WINDOW_S, 2.0 * len(self.targets) / self._rate)
        found = await asyncio.gather(*(self._came_in(cluster, node, within_s) for node in there))
        told = f"the stranger's, of {self._protocol} port {self._port}, in {within_s * 1000:.0f} ms: " + ", ".join(
            f"{wanted} {'changed' if self.changes else 'word for word as heard'}, {others} others, at {node}"
            for node, (wanted, others) in zip(there, found, strict=True)
        )
        if not any(wanted for wanted, _ in found) and any(others for _, others in found):
            return Seen(Effect.SOME, told)
        return judged(sum(wanted > 0 for wanted, _ in found), len(self.targets), told)

    async def _came_in(self, cluster: Cluster, node: str, within_s: float) -> tuple[int, int]:
        """How many of the stranger's come in at a node that are as they are to be, and how many others.

        By whichever interface of its end: a kernel of its own has a bridge before it, which hands frames on unheard.
        """
        mac, known = bytes.fromhex(self._mac(cluster).replace(":", "")), self._captured[node]
        counts = [0, 0]

        def is_wanted(frame: bytes) -> bool:
            if frame[6:12] != mac:
                return False
            as_wanted = (payload_of(frame) in known) is not self.changes
            counts[0 if as_wanted else 1] += 1
            return as_wanted

        end = replace(cluster.fabric.wire(node), interface="")
        tap = Tap(end, ANY_ETHERTYPE, of_port(self._protocol, self._port))
        try:
            await tap.count(is_wanted, within_s=within_s, enough=1)
        finally:
            await tap.close()
        return counts[0], counts[1]
