"""The application: all routes, and how errors become answers."""

import time
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from ... import VERSION
from ..autonomy import Autonomy
from ..core.requests import NotNow
from . import asking, care, cluster, metrics, seeing
from .schemas import Alive


def application(autonomy: Autonomy) -> FastAPI:
    """The API of one daemon. Everything is answered in its loop."""
    app = FastAPI(title="mfs-autonomy", version=VERSION, description="Volumes, moves, incidents and who approved what.")
    app.state.autonomy, app.state.latency = autonomy, metrics.Latency()
    app.include_router(seeing.router)
    app.include_router(cluster.router)
    app.include_router(care.router)
    app.include_router(asking.router)
    app.include_router(metrics.router)
    app.add_exception_handler(NotNow, _answering(409))
    app.add_exception_handler(OSError, _answering(503))

    @app.get("/healthz")
    async def alive() -> Alive:
        """Whether the daemon answers. Needs no token."""
        return Alive()

    @app.middleware("http")
    async def timed(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        began_s = time.perf_counter()
        answer = await call_next(request)
        app.state.latency.observe(time.perf_counter() - began_s)
        return answer

    return app


def _answering(code: int) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(_request: Request, error: Exception) -> Response:
        return JSONResponse({"detail": str(error)}, code)

    return answer
