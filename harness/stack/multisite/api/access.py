"""Who asks, what he may do, and what he saw before: tokens and ETags."""

import re
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Header, HTTPException, Path, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from ..inventory import tokens
from ..inventory.database import Database
from ..inventory.entries import Name
from ..inventory.errors import Stale
from .live import Live

_own = APIKeyHeader(name="X-API-Token", auto_error=False, description="A token of `multisite token create`")
_bearer = HTTPBearer(auto_error=False, description="The same token, for clients that know no other header")
# What does not wait is async: a plain function would take a thread of its own for each request.
_ETAG = re.compile(r'"([0-9]{1,18})"')


async def database(request: Request) -> Database:
    """The inventory."""
    found = request.app.state.database
    assert isinstance(found, Database)
    return found


async def live(request: Request) -> Live:
    """The daemon."""
    found: Live = request.app.state.live
    return found


Inventory = Annotated[Database, Depends(database)]
Daemon = Annotated[Live, Depends(live)]
NamePath = Annotated[Name, Path()]


Own = Annotated[str | None, Security(_own)]
Bearer = Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]


def needs(role: tokens.Role) -> Callable[..., None]:
    """Lets pass who may do at least that."""

    def check(inventory: Inventory, own: Own, bearer: Bearer) -> None:
        _, has = _whose(inventory, own, bearer)
        if has < role:
            raise HTTPException(403, f"a token with the role {role.name} is needed, this one has {has.name}")

    return check


def _agent_of(inventory: Inventory, own: Own, bearer: Bearer, name: NamePath) -> None:
    """Lets pass the agent of the machine that is named, and who may operate."""
    whose, has = _whose(inventory, own, bearer)
    if has < tokens.Role.operate and (has, whose) != (tokens.Role.agent, name):
        raise HTTPException(403, f"a token {name} with the role agent is needed, this one is {whose} with {has.name}")


def _whose(
    inventory: Database, own: str | None, bearer: HTTPAuthorizationCredentials | None
) -> tuple[str, tokens.Role]:
    given = own or (bearer.credentials if bearer else None)
    if not given:
        raise _unknown("a token is needed, in the header X-API-Token")
    with inventory.reading() as session:
        found = tokens.bearer_of(session, given)
    if found is None:
        raise _unknown("nobody was given this token, or it was taken back")
    return found


AGENT = Depends(_agent_of)
READ = Depends(needs(tokens.Role.read))
OPERATE = Depends(needs(tokens.Role.operate))
ADMIN = Depends(needs(tokens.Role.admin))


async def expected_version(if_match: Annotated[str | None, Header(max_length=200)] = None) -> int | None:
    """The version that the asker knows, from If-Match (RFC 9110, 13.1.1); None if he does not say."""
    if if_match is None or if_match.strip() == "*":
        return None
    found = _ETAG.fullmatch(if_match.strip())
    if found is None:
        raise Stale(f"If-Match: {if_match!r} is no ETag of ours")
    return int(found[1])


Expected = Annotated[int | None, Depends(expected_version)]


def etag(version: int) -> dict[str, str]:
    """The header that goes with a version."""
    return {"ETag": f'"{version}"'}


def _unknown(why: str) -> HTTPException:
    return HTTPException(401, why, headers={"WWW-Authenticate": "Bearer"})
