"""The oracle over real sockets, and its files."""

import asyncio
import time
from pathlib import Path

from harness.stack.multisite.health.core import Rotation
from harness.stack.multisite.health.oracle import Oracle, VerdictFiles
from harness.stack.multisite.routing.core import HELD_INTERVALS
from tests.stack.multisite.places import free_ports

HOLD_S = HELD_INTERVALS * 0.5
KEY = ("api", "[::1]:80")
QUESTION = (
    b"GET / HTTP/1.1\r\nHost: x\r\nx-service: api\r\nX-Backend: [::1]:80\r\nX-Version: v1\r\nX-Interval-Ms: 500\r\n\r\n"
)


async def asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
    writer.write(QUESTION)
    return int((await reader.readuntil(b"\r\n\r\n")).split()[1])


async def test_a_verdict_reaches_a_question_that_is_held(tmp_path: Path) -> None:
    port = free_ports(1)[0]
    oracle = Oracle(tmp_path / "verdicts")
    await oracle.listen("127.0.0.1", port)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    begun_s = time.monotonic()
    while time.monotonic() - begun_s < HOLD_S / 2 or not any(oracle._held.values()):  # asked until it is held
        answer = asyncio.create_task(asked(reader, writer))
        await asyncio.wait([answer], timeout=HOLD_S / 2)
        if not answer.done():
            break
        assert answer.result() == 200
    oracle.publish(Rotation(frozenset({KEY}), frozenset({"api"})))
    told_s = time.monotonic()
    assert await answer == 503
    assert time.monotonic() - told_s < HOLD_S / 2
    assert await asked(reader, writer) == 503
    assert sorted(path.name for path in (tmp_path / "verdicts" / "api").iterdir()) == ["[::1]:80.down", "all.down"]
    oracle.publish(Rotation())
    assert await asked(reader, writer) == 200
    assert list((tmp_path / "verdicts").iterdir()) == []
    writer.close()
    oracle.close()


async def test_files_of_an_earlier_life_stand_until_it_listens(tmp_path: Path) -> None:
    VerdictFiles(tmp_path).write(Rotation(frozenset({KEY})))
    oracle = Oracle(tmp_path)
    oracle.publish(Rotation(frozenset(), frozenset({"web"})))
    assert (tmp_path / "api" / "[::1]:80.down").exists()
    await oracle.listen("127.0.0.1", free_ports(1)[0])
    assert [path.relative_to(tmp_path) for path in tmp_path.glob("*/*")] == [Path("web/all.down")]
    oracle.close()
    assert (tmp_path / "web" / "all.down").exists()


async def test_nonsense_ends_its_connection_only(tmp_path: Path) -> None:
    port = free_ports(1)[0]
    oracle = Oracle(tmp_path)
    await oracle.listen("127.0.0.1", port)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"x" * 20_000)
    assert b"400" in await reader.read()
    writer.close()
    other, asking = await asyncio.open_connection("127.0.0.1", port)
    assert await asked(other, asking) == 200
    asking.close()
    oracle.close()
