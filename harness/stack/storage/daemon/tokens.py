"""Who may ask what of the daemon. A token is shown once, when it is made; its digest is kept.

Tokens are 256 random bits, so one round of SHA-256 is enough: there is nothing to guess (NIST SP 800-63B, 5.1.2.2).
"""

import hashlib
import json
import secrets
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from ...kit.durable import write_durably
from ..unable import Unable

PREFIX = "mfs_"


class Role(IntEnum):
    """Each may do what those before it may."""

    read = 1
    operate = 2
    """Ask for something to be done."""
    approve = 3
    """Agree to what is risky."""
    admin = 4
    """Change the level."""


class TokenError(Unable):
    """A token cannot be made or taken back; the message says why."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whose a token is."""

    name: str
    role: Role


class Tokens:
    """In one file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read_of: tuple[int, int] | None = None
        self._known: dict[str, Bearer] = {}

    def create(self, name: str, role: Role) -> str:
        """Its text is known to nobody afterwards. Raises TokenError."""
        known = self.every()
        if any(one.name == name for one in known.values()):
            raise TokenError(f"there is a token {name} already: `token remove {name}` first")
        token = PREFIX + secrets.token_urlsafe(32)
        self._write({**known, digest_of(token): Bearer(name, role)})
        return token

    def remove(self, name: str) -> None:
        """It is worth nothing from now on. Raises TokenError."""
        known = self.every()
        kept = {digest: one for digest, one in known.items() if one.name != name}
        if len(kept) == len(known):
            raise TokenError(f"there is no token {name}")
        self._write(kept)

    def every(self) -> dict[str, Bearer]:
        """By digest; the file is read again when it was changed. Raises TokenError."""
        try:
            seen = self._file.stat()
        except FileNotFoundError:
            return {}
        if self._read_of != (seen.st_ino, seen.st_mtime_ns):
            try:
                rows = json.loads(self._file.read_text())
                self._known = {row["digest"]: Bearer(row["name"], Role[row["role"]]) for row in rows}
            except (ValueError, KeyError, TypeError) as error:
                raise TokenError(f"{self._file}: it cannot be understood") from error
            self._read_of = seen.st_ino, seen.st_mtime_ns
        return self._known

    def bearer_of(self, token: str) -> Bearer | None:
        """None if nobody was given it. Looked up by digest: how long that takes tells nothing of the token."""
        return self.every().get(digest_of(token))

    def _write(self, known: dict[str, Bearer]) -> None:
        rows = [{"digest": digest, "name": one.name, "role": one.role.name} for digest, one in known.items()]
        write_durably(self._file, json.dumps(rows, indent=1))


def digest_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
