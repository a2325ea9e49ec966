"""The platform, by its API."""

from typing import TypeVar

import httpx
from pydantic import ValidationError

from ..inventory.reports import Answer, Report, Said, TunnelAnswer, TunnelReport
from ..network.spoke import Unheard
from .ports import PlatformError

TIMEOUT_S = 2.0
AnySaid = TypeVar("AnySaid", bound=Said)


class Api:
    """Of one platform, for one machine."""

    def __init__(self, url: str, machine: str, token: str) -> None:
        self._machine = f"/machines/{machine}"
        self._client = httpx.AsyncClient(base_url=url, headers={"X-API-Token": token}, timeout=TIMEOUT_S)

    async def report(self, report: Report) -> Answer:
        """Say how the machine is, and hear what it is to run. Raises PlatformError."""
        return await self._said("/report", report, Answer)

    async def tunnel(self, report: TunnelReport) -> TunnelAnswer:
        """Say how the tunnel is, and hear what it has. Raises Unheard."""
        try:
            return await self._said("/tunnel", report, TunnelAnswer)
        except PlatformError as error:
            raise Unheard(str(error)) from error

    async def _said(self, what: str, report: Said, kind: type[AnySaid]) -> AnySaid:
        try:
            said = await self._client.put(self._machine + what, json=report.model_dump(mode="json"))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise PlatformError(f"{self._client.base_url}: {str(error) or type(error).__name__}") from error
        if not said.is_success:
            raise PlatformError(f"{self._client.base_url}: {said.status_code} {said.text[:200]}")
        try:
            return kind.model_validate_json(said.content)
        except ValidationError as error:
            raise PlatformError(f"{self._client.base_url}: an answer of another version: {error.title}") from error

    async def close(self) -> None:
        """End the connection."""
        await self._client.aclose()
