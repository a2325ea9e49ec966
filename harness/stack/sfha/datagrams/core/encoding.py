"""Datagrams between daemons: compact JSON, one message each. Pure.

The sender is known by its mesh address, which WireGuard binds to its key. Anything that is not
exactly a message of this version is dropped (ValueError), whatever sent it. What a node lacks, and why it is reluctant,
is told only where there is something to tell: so daemons of before understand all others, and take one that tells it
for no candidate. The names of reasons are the sender's: one that is not known here counts like any other.
"""

import json
import re
from typing import TYPE_CHECKING

from ...election.core import Duty, Heartbeat
from ...election.preference import Wish
from ...lease.core import Release, Request, Vote

if TYPE_CHECKING:
    from ...claim.arbiter_messages import ArbiterMessage

VERSION = 1
MAX_DATAGRAM_BYTES = 512
MAX_WISH_MS = 10**9
MAX_REASONS = 8
_REASON = re.compile(r"[a-z][a-z-]{0,23}")
_TO_JSON, _FROM_JSON = json.JSONEncoder(separators=(",", ":")), json.JSONDecoder()
"""Made once: making one costs more than using it."""

Message = Heartbeat | Request | Vote | Release


def encode(message: "Message | ArbiterMessage") -> bytes:
    """The datagram of a message."""
    fields: list[object]
    match message:
        case Heartbeat():
            fields = [
                "beat",
                message.incarnation,
                message.sequence,
                message.standby,
                message.ready,
                message.quorate,
                message.ring,
                message.leader,
                message.epoch,
                *_duty(message.duty),
            ]
        case Request(incarnation, number, (epoch, round_, opener)):  # these two are sent many times a second
            return b'[%d,"request",%d,%d,%d,%d,%d]' % (VERSION, incarnation, number, epoch, round_, opener)
        case Vote(incarnation, number, True, wait_s=0):
            return b'[%d,"vote",%d,%d,true,0.0]' % (VERSION, incarnation, number)
        case Vote():
            fields = ["vote", message.incarnation, message.number, message.granted, round(message.wait_s, 6)]
        case Release():
            fields = ["release", message.incarnation, message.number]
        case _:
            from . import arbiter_encoding  # not before somebody fences: a quick start pays nothing for it

            return arbiter_encoding.encode(message)
    return _TO_JSON.encode([VERSION, *fields]).encode()


def decode(datagram: bytes) -> "Message | ArbiterMessage":
    """The message of a datagram. Raises ValueError for anything else."""
    try:
        text = datagram.decode()
        parts, end = _FROM_JSON.raw_decode(text)
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError("not JSON") from error
    if end != len(text):
        raise ValueError("more than a message")
    match parts:
        case [int(version), *_] if version != VERSION or isinstance(version, bool):
            raise ValueError(f"version {version} is not spoken here")
        case [
            _,
            "beat",
            int(incarnation),
            int(sequence),
            bool(standby),
            bool(ready),
            bool(quorate),
            int(ring),
            int() | None as leader,
            int(epoch),
            bool(draining),
            bool(ailing),
            int(revision),
            int(counter),
            int(by),
            int() | None as target,
            int(left_ms),
            *rest,
        ]:
            wish = Wish(counter, by, target, min(left_ms, MAX_WISH_MS) / 1000)
            duty = Duty(draining, ailing, revision, wish, *_drawbacks(rest))
            return Heartbeat(incarnation, sequence, standby, ready, quorate, ring, leader, epoch, duty)
        case [_, "request", int(incarnation), int(number), int(epoch), int(round_), int(opener)]:
            return Request(incarnation, number, (epoch, round_, opener))
        case [_, "vote", int(incarnation), int(number), bool(granted), int() | float() as wait_s]:
            return Vote(incarnation, number, granted, float(wait_s))
        case [_, "release", int(incarnation), int(number)]:
            return Release(incarnation, number)
        case [_, "ask" | "tell" | "over" | "note" | "pardon", *_]:
            from . import arbiter_encoding

            return arbiter_encoding.decode(parts)
    raise ValueError("not a message")


def _duty(duty: Duty) -> list[object]:
    wish = duty.wish
    own: list[object] = [duty.draining, duty.ailing, duty.revision]
    drawbacks = [duty.lacks, *duty.reluctant] if duty.lacks or duty.reluctant else []
    return [*own, wish.counter, wish.by, wish.target, round(wish.left_s * 1000), *drawbacks]


def _drawbacks(rest: list[object]) -> tuple[int, tuple[str, ...]]:
    """What it lacks, and why it is reluctant; one of the two at least, if anything is told."""
    match rest:
        case []:
            return 0, ()
        case [int(lacks), *names] if lacks >= bool(not names) and not isinstance(lacks, bool):
            reasons = tuple(name for name in names if isinstance(name, str) and _REASON.fullmatch(name))
            if len(reasons) == len(names) <= MAX_REASONS:
                return lacks, reasons
    raise ValueError("not a message")
