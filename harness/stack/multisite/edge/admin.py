"""Caddy's admin API (caddyserver.com/docs/api)."""

from collections.abc import Mapping
from typing import Any

import httpx

from ..routing.core import canonical

TIMEOUT_S = 10.0
UNIX = "unix/"


class EdgeError(Exception):
    """The edge cannot be reached; says why in one line."""


class EdgeRefused(EdgeError):
    """The edge was reached, and does not take it."""


class Admin:
    """One edge, by its admin address: ``unix//PATH`` or HOST:PORT, as Caddy writes it."""

    def __init__(self, address: str) -> None:
        self.address = address
        path = address.removeprefix(UNIX).partition("|")[0] if address.startswith(UNIX) else None
        # Plain HTTP on this machine: no certificates are read.
        transport = httpx.AsyncHTTPTransport(uds=path, verify=False)
        base = "http://localhost" if path else f"http://{address}"
        # Caddy refuses admin requests whose Host or Origin it does not expect; for a socket it expects none.
        headers = {"Host": ""} if path else {}
        self._client = httpx.AsyncClient(transport=transport, base_url=base, timeout=TIMEOUT_S, headers=headers)

    async def configuration(self) -> Mapping[str, Any] | None:
        """What is in force; None for nothing. Raises EdgeError."""
        response = await self._call("GET", "/config/", None)
        found = response.json()
        return found if isinstance(found, dict) else None

    async def load(self, document: Mapping[str, Any]) -> None:
        """Put a whole configuration into force, or nothing of it. Raises EdgeError, EdgeRefused."""
        response = await self._call("POST", "/load", canonical(document).encode())
        if response.status_code != httpx.codes.OK:
            raise EdgeRefused(_why(response))

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.aclose()

    async def _call(self, method: str, path: str, body: bytes | None) -> httpx.Response:
        headers = {} if body is None else {"Content-Type": "application/json"}
        try:
            return await self._client.request(method, path, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise EdgeError(f"edge at {self.address}: {str(error) or type(error).__name__}") from error


def _why(response: httpx.Response) -> str:
    try:
        return str(response.json()["error"])
    except (ValueError, KeyError, TypeError):
        return f"status {response.status_code}: {response.text[:200]}"
