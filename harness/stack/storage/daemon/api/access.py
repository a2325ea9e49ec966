"""Who asks, and what he may do."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, HTTPException, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from ..autonomy import Autonomy
from ..tokens import Bearer, Role, TokenError

_bearer = HTTPBearer(auto_error=False, description="A token of `mfs-autonomy token create`")


async def _daemon(request: Request) -> Autonomy:
    found: Autonomy = request.app.state.autonomy
    return found


Daemon = Annotated[Autonomy, Depends(_daemon)]


def needs(role: Role) -> Callable[..., object]:
    """Lets pass who may do at least that."""

    async def check(daemon: Daemon, given: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]) -> Bearer:
        if given is None:
            raise HTTPException(401, "a token is needed: Authorization: Bearer TOKEN", {"WWW-Authenticate": "Bearer"})
        try:
            bearer = daemon.tokens.bearer_of(given.credentials)
        except TokenError as error:
            raise HTTPException(503, str(error)) from error
        if bearer is None:
            raise HTTPException(
                401, "nobody was given this token, or it was taken back", {"WWW-Authenticate": "Bearer"}
            )
        if bearer.role < role:
            raise HTTPException(403, f"a token with the role {role.name} is needed, this one has {bearer.role.name}")
        return bearer

    return check


Reader = Annotated[Bearer, Depends(needs(Role.read))]
Operator = Annotated[Bearer, Depends(needs(Role.operate))]
Approver = Annotated[Bearer, Depends(needs(Role.approve))]
Admin = Annotated[Bearer, Depends(needs(Role.admin))]
PROBLEMS: dict[int | str, dict[str, object]] = {
    401: {"description": "No token, or none of ours"},
    403: {"description": "The token may not do that"},
}
