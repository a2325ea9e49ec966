"""The application: all routes, and how errors become answers."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response

from .. import VERSION
from ..inventory.database import Database
from ..inventory.errors import Conflict, DatabaseError, InventoryError, NotThere, Stale
from . import backends, config, copies, health, inventory, machines, services, sites, tokens, tunnels
from .access import Bearers
from .live import Live
from .page import routes as page

STATUS: dict[type[InventoryError], int] = {NotThere: 404, Conflict: 409, Stale: 412, DatabaseError: 503}


def application(database: Database, live: Live) -> FastAPI:
    """The API of one daemon."""
    app = FastAPI(title="multisite", version=VERSION, description=__doc__)
    app.state.database, app.state.bearers, app.state.live = database, Bearers(database), live
    for module in (sites, services, backends, machines, tunnels, inventory, config, copies, tokens, health, page):
        app.include_router(module.router)
    for kind, code in STATUS.items():
        app.add_exception_handler(kind, _answering(code))
    app.add_exception_handler(RequestValidationError, _invalid)
    return app


def _answering(code: int) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(_request: Request, error: Exception) -> Response:
        return JSONResponse({"detail": str(error)}, code, headers={"Retry-After": "1"} if code == 503 else None)

    return answer


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    wrong: list[dict[str, Any]] = [
        {"loc": one["loc"], "msg": one["msg"], "type": one["type"]} for one in error.errors()
    ]
    if any(one["type"] == "json_invalid" for one in wrong):
        return JSONResponse({"detail": f"the body is not JSON: {wrong[0]['msg']}"}, 400)
    return JSONResponse({"detail": jsonable_encoder(wrong)}, 422)
