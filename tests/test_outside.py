"""The power switch: what a node that fences another is told, and what becomes of a switch that fails."""

import asyncio
import socket
from types import SimpleNamespace
from typing import cast

import pytest

from harness import outside
from harness.cluster import Cluster
from harness.errors import EngineError
from harness.outside import PowerSwitch


class _Cluster:
    """One node, whose power can be cut if nothing is wrong with its engine."""

    def __init__(self, *, engine_fails: bool) -> None:
        self.topology = SimpleNamespace(node_names=("n1",))
        self.up = True
        self.failures: list[str] = []
        self._engine_fails = engine_fails

    def attach(self, attachment: object) -> int:
        return 0

    def note(self, text: str) -> None: ...

    def is_up(self, node: str) -> bool:
        return self.up

    async def power_cut(self, node: str) -> None:
        if self._engine_fails:
            raise EngineError("n1 does not die")
        self.up = False

    def record_failure(self, doing: str, error: Exception) -> None:
        self.failures.append(f"{doing}: {error}")


async def _ask(port: int, line: str) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{line} HTTP/1.1\r\n\r\n".encode())
    answer = (await reader.read()).decode()
    writer.close()
    return answer


@pytest.mark.parametrize(
    ("engine_fails", "status", "failures"),
    [
        (False, "200 OK", []),
        (True, "500 Internal Server Error", ["switching the power: POST /n1/off: n1 does not die"]),
    ],
)
async def test_a_switch_that_fails_is_the_harness_s_own_failure(
    monkeypatch: pytest.MonkeyPatch, engine_fails: bool, status: str, failures: list[str]
) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    monkeypatch.setattr(outside, "_listen", lambda _cluster, _port: listening)
    cluster = _Cluster(engine_fails=engine_fails)
    switch = PowerSwitch(cast(Cluster, cluster))
    await switch.begin()
    try:
        answer = await _ask(listening.getsockname()[1], "POST /n1/off")
    finally:
        await switch.close()
    assert answer.startswith(f"HTTP/1.1 {status}")
    assert cluster.failures == failures
    assert cluster.up == engine_fails
