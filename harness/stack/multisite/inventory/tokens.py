"""Who may do what. A token is shown once, when it is made; the database keeps its digest.

Tokens are 256 random bits, so one round of SHA-256 is enough: there is nothing to guess (NIST SP 800-63B, 5.1.2.2).
"""

import hashlib
import secrets
from datetime import datetime
from enum import IntEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from .errors import Conflict, NotThere
from .tables import TokenRow

PREFIX = "ms_"


class Role(IntEnum):
    """Each may do what those before it may; an agent nothing but report the machine whose name its token has."""

    agent = 0
    read = 1
    operate = 2
    admin = 3


def digest_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def create(session: Session, name: str, role: Role, at: datetime) -> tuple[TokenRow, str]:
    """A new token; its text is known to nobody afterwards. Raises Conflict if the name is taken."""
    if session.scalars(select(TokenRow).where(TokenRow.name == name)).first() is not None:
        raise Conflict(f"there is a token {name} already")
    token = PREFIX + secrets.token_urlsafe(32)
    row = TokenRow(name=name, role=role.name, digest=digest_of(token), created_at=at)
    session.add(row)
    session.flush()
    return row, token


def bearer_of(session: Session, token: str) -> tuple[str, Role] | None:
    """Whose it is and what he may do; None if nobody was given it."""
    # Looked up by digest: how long it takes tells nothing of the token.
    found = session.execute(select(TokenRow.name, TokenRow.role).where(TokenRow.digest == digest_of(token))).first()
    return None if found is None else (found.name, Role[found.role])


def role_of(session: Session, token: str) -> Role | None:
    """What its bearer may do; None if nobody was given it."""
    bearer = bearer_of(session, token)
    return None if bearer is None else bearer[1]


def remove(session: Session, name: str) -> None:
    """It is worth nothing from now on. Raises NotThere."""
    row = session.scalars(select(TokenRow).where(TokenRow.name == name)).one_or_none()
    if row is None:
        raise NotThere(f"there is no token {name}")
    session.delete(row)


def every(session: Session) -> list[TokenRow]:
    """All of them, by name."""
    return list(session.scalars(select(TokenRow).order_by(TokenRow.name)))
