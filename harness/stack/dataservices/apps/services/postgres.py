"""As much of PostgreSQL's protocol (version 3, SCRAM-SHA-256) as one statement at a time needs."""

import base64
import hashlib
import hmac
import secrets
import socket
import struct
from collections.abc import Iterator

_VERSION = 196608
Row = tuple[str | None, ...]


class Refused(Exception):
    """The server says no; nothing was done."""


class Connection:
    """One, for as long as it lasts. OSError is an end of it that leaves open what the last statement did."""

    def __init__(self, host: str, port: int, *, user: str, database: str, password: str, within_s: float) -> None:
        self._socket = socket.create_connection((host, port), within_s)
        self._socket.settimeout(within_s)
        self._stream = self._socket.makefile("rb")
        try:
            words = f"user\0{user}\0database\0{database}\0\0".encode()
            self._socket.sendall(struct.pack("!ii", len(words) + 8, _VERSION) + words)
            self._log_in(password)
        except BaseException:
            self.close()
            raise

    def asked(self, statement: str, *values: str) -> list[Row]:
        """The rows of a statement, once it is committed; values as text. Raises Refused, OSError."""
        bound = b"".join(struct.pack("!i", len(one)) + one for one in (value.encode() for value in values))
        self._socket.sendall(
            _message(b"P", b"\0" + statement.encode() + b"\0" + struct.pack("!h", 0))
            + _message(b"B", b"\0\0" + struct.pack("!hh", 0, len(values)) + bound + struct.pack("!h", 0))
            + _message(b"E", b"\0" + struct.pack("!i", 0))
            + _message(b"S", b"")
        )
        return [_row(body) for kind, body in self._until_ready() if kind == b"D"]

    def close(self) -> None:
        """Hang up."""
        self._stream.close()
        self._socket.close()

    def _log_in(self, password: str) -> None:
        scram: _Scram | None = None
        for kind, body in self._until_ready():
            if kind != b"R":
                continue
            how, rest = struct.unpack("!i", body[:4])[0], body[4:]
            if how == 10 and b"SCRAM-SHA-256" in rest.split(b"\0"):
                scram = _Scram(password)
                first = scram.first()
                self._socket.sendall(_message(b"p", b"SCRAM-SHA-256\0" + struct.pack("!i", len(first)) + first))
            elif how == 11 and scram is not None:
                self._socket.sendall(_message(b"p", scram.proof(rest)))
            elif how == 12 and scram is not None:
                scram.check(rest)
            elif how != 0:
                raise Refused("asks for a password in a way that is not SCRAM-SHA-256")

    def _until_ready(self) -> Iterator[tuple[bytes, bytes]]:
        """All that it says until it is ready for more. Raises Refused then, where it said no."""
        refusal = ""
        while True:
            head = self._read(5)
            kind, length = head[:1], struct.unpack("!i", head[1:])[0]
            body = self._read(length - 4)
            if kind == b"E":
                refusal = _why(body)
                if refusal.startswith(("FATAL", "PANIC")):
                    raise Refused(refusal)
            if kind == b"Z":
                break
            yield kind, body
        if refusal:
            raise Refused(refusal)

    def _read(self, count: int) -> bytes:
        data = self._stream.read(count)
        if len(data) < count:
            raise ConnectionError("the connection ended")
        return data


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def _row(body: bytes) -> Row:
    (count,), at = struct.unpack("!h", body[:2]), 2
    cells: list[str | None] = []
    for _ in range(count):
        (length,) = struct.unpack("!i", body[at : at + 4])
        at += 4
        cells.append(body[at : at + length].decode() if length >= 0 else None)
        at += max(0, length)
    return tuple(cells)


def _why(body: bytes) -> str:
    fields = {part[:1]: part[1:].decode(errors="replace") for part in body.split(b"\0") if part}
    return f"{fields.get(b'V', fields.get(b'S', ''))} {fields.get(b'C', '')}: {fields.get(b'M', '')}"


class _Scram:
    """RFC 5802 and 7677, of a password of plain ASCII, without binding to a channel."""

    def __init__(self, password: str) -> None:
        self._password, self._nonce = password.encode(), secrets.token_urlsafe(18)
        self._signed, self._salted = b"", b""

    def first(self) -> bytes:
        return f"n,,n=,r={self._nonce}".encode()

    def proof(self, challenge: bytes) -> bytes:
        given = dict(part.split(b"=", 1) for part in challenge.split(b","))
        if not given[b"r"].startswith(self._nonce.encode()):
            raise Refused("answers somebody else's challenge")
        self._salted = hashlib.pbkdf2_hmac("sha256", self._password, base64.b64decode(given[b"s"]), int(given[b"i"]))
        last = b"c=biws,r=" + given[b"r"]
        self._signed = b",".join((f"n=,r={self._nonce}".encode(), challenge, last))
        key = _hmac(self._salted, b"Client Key")
        signature = _hmac(hashlib.sha256(key).digest(), self._signed)
        proof = bytes(one ^ other for one, other in zip(key, signature, strict=True))
        return last + b",p=" + base64.b64encode(proof)

    def check(self, final: bytes) -> None:
        """Whoever does not know the password cannot have signed this."""
        expected = b"v=" + base64.b64encode(_hmac(_hmac(self._salted, b"Server Key"), self._signed))
        if not hmac.compare_digest(expected, final.split(b",")[0]):
            raise Refused("does not know the password itself")


def _hmac(key: bytes, text: bytes) -> bytes:
    return hmac.digest(key, text, "sha256")
