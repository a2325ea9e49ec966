"""The backends of the benchmark of the platform, and whoever asks: each is measured by the other."""

import asyncio
import os
from collections.abc import Iterator

import pytest

from harness.bench import platform
from harness.bench.platform import ADDRESS, Backends, load
from harness.errors import HarnessError

FIRST = 28_000 + 100 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])


@pytest.fixture
def backends(monkeypatch: pytest.MonkeyPatch) -> Iterator[Backends]:
    monkeypatch.setattr(platform, "FIRST_PORT", FIRST)
    monkeypatch.setattr(platform, "ASKED_FOR_S", 0.5)
    one = Backends(3)
    yield one
    one.end()


def test_each_port_echoes_for_whoever_asks_to_speak_so(backends: Backends) -> None:
    async def said(port: int) -> bytes:
        reader, writer = await asyncio.open_connection(ADDRESS, port)
        writer.write(platform.UPGRADE)
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        writer.write(b"still there\n")
        line = await reader.readline()
        writer.close()
        return line

    assert [asyncio.run(said(FIRST + number)) for number in range(3)] == [b"still there\n"] * 3
    assert backends.answered() == 3


@pytest.mark.parametrize("rate_per_s", [100, 0])
def test_whoever_asks_counts_what_was_answered(backends: Backends, rate_per_s: int) -> None:
    before = backends.answered()
    took_s, failed, passed_s = asyncio.run(load(FIRST + 1, "token", [1, 2], rate_per_s, address=ADDRESS))
    assert failed == 0
    assert len(took_s) == backends.answered() - before
    assert len(took_s) == 50 if rate_per_s else len(took_s) > 50
    assert passed_s < 30
    assert min(took_s) > 0


def test_ports_that_are_taken_are_said(backends: Backends, capfd: pytest.CaptureFixture[str]) -> None:
    assert backends.answered() == 0
    with pytest.raises(HarnessError, match=f"no 3 backends could listen on {ADDRESS} from port {FIRST} on"):
        Backends(3)
    assert "address already in use" in capfd.readouterr().err
