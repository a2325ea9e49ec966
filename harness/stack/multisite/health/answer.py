"""What a backend's answer says, as soon as enough of it is there (HTTP/1.1 by RFC 9112). Pure.

The status counts. A body of known length is read, so that the connection can be asked again; after any other answer it
cannot.
"""

import re
from dataclasses import dataclass

MOST_HEAD_BYTES = 32_768
MOST_BODY_BYTES = 262_144
_END = b"\r\n\r\n"
_STATUS = re.compile(rb"HTTP/1\.([01]) ([0-9]{3})[ \r]")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,9})[ \t]*\r\n")
_NO_CONTENT = 204


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, and how many bytes the answer takes in all; None where only the end of the connection would tell."""

    status: int
    size_bytes: int | None


def answer_in(read: bytes | bytearray) -> Answer | None:
    """The answer that begins what was read; None while its head is not whole. Raises ValueError for what is no HTTP."""
    end = read.find(_END)
    if end > MOST_HEAD_BYTES or (end < 0 and len(read) > MOST_HEAD_BYTES):
        raise ValueError(f"more than {MOST_HEAD_BYTES} bytes before the body")
    if end < 0:
        return None
    status = _STATUS.match(read)
    if not status:
        raise ValueError(repr(bytes(read[:40]))[1:])
    code = int(status[2])
    head = bytes(read[: end + len(_END)]).lower()
    return Answer(code, None if status[1] == b"0" else _size_bytes(head, code))


def _size_bytes(head: bytes, code: int) -> int | None:
    if b"\r\nconnection: close\r\n" in head:
        return None
    if code == _NO_CONTENT:
        return len(head)
    length = _LENGTH.search(head)
    if length is None or int(length[1]) > MOST_BODY_BYTES:
        return None
    return len(head) + int(length[1])
