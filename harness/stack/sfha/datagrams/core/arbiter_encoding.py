"""The datagrams of the arbiters (see encoding.py): claims on the exclusive services, and what was fenced. Pure."""

import json

from ...claim.arbiter_messages import ArbiterMessage
from ...claim.messages import Ask, Ballot, Claim, Over, Stored, Tell
from ...fencing.messages import Note, Pardon

VERSION = 1
MAX_ERROR_CHARACTERS = 60
MAX_AGE_S = 1e9


def encode(message: ArbiterMessage) -> bytes:
    """The datagram of a message."""
    fields: list[object]
    match message:
        case Ask():
            fields = ["ask", *_ballot(message.ballot), message.accept, *_ballot(message.waits_for)]
        case Tell(ballot, accept, ok, stored):
            own = stored.claim
            fields = ["tell", *_ballot(ballot), accept, ok, *_ballot(stored.promised), *_ballot(own.ballot), own.over]
        case Over(ballot):
            fields = ["over", *_ballot(ballot)]
        case Note():
            error = message.error[:MAX_ERROR_CHARACTERS]
            fields = ["note", message.node, message.by, round(message.age_s, 3), message.automatic, message.ok, error]
        case Pardon(node, age_s):
            fields = ["pardon", node, round(age_s, 3)]
    return json.dumps([VERSION, *fields], separators=(",", ":")).encode()


def decode(parts: object) -> ArbiterMessage:
    """The message of the parts of a datagram. Raises ValueError for anything else."""
    match parts:
        case [_, "ask", int(round_), int(node), bool(accept), int(waits_round), int(waits_node)]:
            return Ask(Ballot(round_, node), accept, Ballot(waits_round, waits_node))
        case [
            _,
            "tell",
            int(round_),
            int(node),
            bool(accept),
            bool(ok),
            int(promised_round),
            int(promised_node),
            int(claim_round),
            int(claim_node),
            bool(over),
        ]:
            stored = Stored(Ballot(promised_round, promised_node), Claim(Ballot(claim_round, claim_node), over))
            return Tell(Ballot(round_, node), accept, ok, stored)
        case [_, "over", int(round_), int(node)]:
            return Over(Ballot(round_, node))
        case [
            _,
            "note",
            int(node),
            int(by),
            int() | float() as age_s,
            bool(automatic),
            bool() | None as ok,
            str(error),
        ]:
            if 0 <= age_s < MAX_AGE_S:
                return Note(node, by, float(age_s), automatic, ok, error)
        case [_, "pardon", int(node), int() | float() as age_s] if 0 <= age_s < MAX_AGE_S:
            return Pardon(node, float(age_s))
    raise ValueError("not a message")


def _ballot(ballot: Ballot) -> list[int]:
    return [ballot.round, ballot.node]
