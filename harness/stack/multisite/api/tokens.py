"""Tokens: /tokens."""

from datetime import UTC, datetime

from fastapi import APIRouter

from ..inventory import tokens
from . import rows
from .access import ADMIN, Inventory, NamePath
from .schemas import NewToken, Token, TokenIn

router = APIRouter(prefix="/tokens", tags=["tokens"], responses=rows.PROBLEMS, dependencies=[ADMIN])


@router.get("")
def list_tokens(inventory: Inventory) -> list[Token]:
    """All of them, without the tokens themselves."""
    with inventory.reading() as session:
        return [Token.model_validate(row, from_attributes=True) for row in tokens.every(session)]


@router.post("", status_code=201)
def create_token(inventory: Inventory, wanted: TokenIn) -> NewToken:
    """A new one: shown this once."""
    with inventory.changing() as session:
        row, token = tokens.create(session, wanted.name, tokens.Role[wanted.role], datetime.now(UTC))
        return NewToken(name=row.name, role=wanted.role, created_at=row.created_at, token=token)


@router.delete("/{name}", status_code=204)
def remove_token(inventory: Inventory, name: NamePath) -> None:
    """It is worth nothing from now on."""
    with inventory.changing() as session:
        tokens.remove(session, name)
