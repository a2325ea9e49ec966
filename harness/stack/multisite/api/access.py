"""Who asks, what he may do, and what he saw before: tokens and ETags."""

import re
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Header, HTTPException, Path, Request, Security
from fastapi.concurrency import run_in_threadpool
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


class Bearers:
    """Whose token it is. Who asks again while nothing was committed, by whoever, is not looked up again."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._generation: int | None = None
        self._known: dict[str, tuple[str, tokens.Role]] = {}

    async def whose(self, given: str) -> tuple[str, tokens.Role]:
        """His name, and what he may do. Raises HTTPException (401) for nobody's, DatabaseError."""
        # Asked for before the look: what is committed in between makes the next one look again.
        generation, digest = self._database.generation(), tokens.digest_of(given)
        if generation != self._generation:
            self._known, self._generation = {}, generation
        if generation is not None and digest in self._known:
            return self._known[digest]
        found = await run_in_threadpool(self._looked_up, given)
        if found is None:
            raise _unknown("nobody was given this token, or it was taken back")
        if generation == self._generation:
            self._known[digest] = found
        return found

    def _looked_up(self, given: str) -> tuple[str, tokens.Role] | None:
        with self._database.reading() as session:
            return tokens.bearer_of(session, given)


async def bearers(request: Request) -> Bearers:
    """Who has been given a token."""
    found = request.app.state.bearers
    assert isinstance(found, Bearers)
    return found


Known = Annotated[Bearers, Depends(bearers)]
Own = Annotated[str | None, Security(_own)]
Bearer = Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]


def needs(role: tokens.Role) -> Callable[..., Awaitable[None]]:
    """Lets pass who may do at least that."""

    async def check(bearers: Known, own: Own, bearer: Bearer) -> None:
        _, has = await bearers.whose(_given(own, bearer))
        if has < role:
            raise HTTPException(403, f"a token with the role {role.name} is needed, this one has {has.name}")

    return check


async def _agent_of(bearers: Known, own: Own, bearer: Bearer, name: NamePath) -> None:
    """Lets pass the agent of the machine that is named, and who may operate."""
    whose, has = await bearers.whose(_given(own, bearer))
    if has < tokens.Role.operate and (has, whose) != (tokens.Role.agent, name):
        raise HTTPException(403, f"a token {name} with the role agent is needed, this one is {whose} with {has.name}")


def _given(own: str | None, bearer: HTTPAuthorizationCredentials | None) -> str:
    given = own or (bearer.credentials if bearer else None)
    if not given:
        raise _unknown("a token is needed, in the header X-API-Token")
    return given


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
