"""The journal of one move: a line a record, each with its checksum. Pure: what lines mean, and what a torn one does.

A record counts once its line is whole on the disk, and only then is anything done in its phase. The last line may be
torn, or missing; it never was acted upon, and is cut off before the next is written. A bad line before a good one is
no crash's doing: nobody guesses then.
"""

import json
import zlib
from dataclasses import asdict

from ..unable import Unable
from .core import Fingerprint, Move, Phase


class JournalDamaged(Unable):
    """The journal is not what a crash leaves; a person has to look at it."""


def line_of(move: Move) -> bytes:
    """The record of a move in its phase."""
    document = asdict(move) | {"phase": move.phase.value}
    text = json.dumps(document, separators=(",", ":"), sort_keys=True).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def read(content: bytes) -> tuple[Move | None, int]:
    """The last whole record (None where there is none), and how many bytes of the journal are whole.

    Raises JournalDamaged.
    """
    found, whole_bytes, at = None, 0, 0
    for line in content.splitlines(keepends=True):
        at += len(line)
        move = _move_of(line)
        if move is not None and whole_bytes != at - len(line):
            raise JournalDamaged(f"a bad record in the middle, {whole_bytes} bytes from the start")
        if move is not None:
            found, whole_bytes = move, at
    return found, whole_bytes


def agreed(content: bytes) -> Move | None:
    """The first whole record, bad ones left out, where all whole ones are of the same move of the same source.

    Raises JournalDamaged where a whole record cannot be understood: then another version wrote it.
    """
    found = [move for line in content.splitlines(keepends=True) if (move := _move_of(line)) is not None]
    same = {(move.id, move.source, move.target, move.before) for move in found}
    return found[0] if len(same) == 1 else None


def _move_of(line: bytes) -> Move | None:
    checksum, _, text = line.partition(b" ")
    if not text.endswith(b"\n") or checksum != b"%08x" % zlib.crc32(text[:-1]):
        return None
    try:
        document = json.loads(text)
        before = document.pop("before")
        phase = Phase(document.pop("phase"))
        return Move(**document, phase=phase, before=Fingerprint(**before) if before else None)
    except (ValueError, TypeError, KeyError) as error:
        raise JournalDamaged(f"a whole record that cannot be understood: {error}") from error
