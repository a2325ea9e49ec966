"""The checker looks at real servers on loopback; what it publishes costs as much as there are backends."""

import asyncio
import time
from collections import Counter

from harness.stack.multisite.health.checker import Checker
from harness.stack.multisite.health.core import Rhythm, Rotation, Rules, Verdict
from harness.stack.multisite.inventory.snapshot import Backend, Service, Snapshot
from harness.wait import until

MANY, COSTS_S, INTERVAL_S = 200, 0.02, 2.0


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    except (OSError, EOFError):
        writer.close()


async def test_while_publishing_takes_its_time_news_are_published_together() -> None:
    server = await asyncio.start_server(_answer, "127.0.0.1", 0, backlog=MANY)
    port = server.sockets[0].getsockname()[1]
    # Each has an address of its own, and is asked here.
    backends = tuple(
        Backend("api", "here", f"10.0.0.{number}", 80, f"http://127.0.0.1:{port}/", 0, 1) for number in range(MANY)
    )
    published: list[Rotation] = []

    def publish(rotation: Rotation) -> None:
        time.sleep(COSTS_S)
        published.append(rotation)

    checker = Checker(Rules(), Rhythm(interval_s=5.0, timeout_s=4.0), publish, lambda seen: None)
    checker.watch(Snapshot((Service("api", ("api.test",), {}, backends),)))
    running = asyncio.create_task(checker.run())
    async with asyncio.timeout(30):
        await checker.first_round()
    now_s = time.monotonic()
    assert {checker.core.verdict(one.key, now_s) for one in backends} == {Verdict.up}
    assert published[-1].out == frozenset(), "whoever waited for all finds all of them published"
    # Each by itself would have been one for each backend; so it is what fits into a fifth of the time, and a few.
    assert len(published) < MANY / 4
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    server.close()


async def test_looks_are_spread_over_the_interval() -> None:
    server = await asyncio.start_server(_answer, "127.0.0.1", 0, backlog=MANY)
    port = server.sockets[0].getsockname()[1]
    backends = tuple(
        Backend("api", "here", f"10.0.0.{number}", 80, f"http://127.0.0.1:{port}/", 0, 1) for number in range(MANY)
    )
    looked_s: dict[str, list[float]] = {}
    checker = Checker(
        Rules(),
        Rhythm(interval_s=INTERVAL_S, timeout_s=4.0),
        lambda _rotation: None,
        lambda seen: looked_s.setdefault(seen.address, []).append(time.monotonic()),
    )
    checker.watch(Snapshot((Service("api", ("api.test",), {}, backends),)))
    running = asyncio.create_task(checker.run())

    async def looked_three_times() -> bool:
        return len(looked_s) == MANY and min(map(len, looked_s.values())) >= 3

    await until(looked_three_times, within_s=60, every_s=0.05, what="each has been looked at three times")
    thirds_s = sorted(one[2] for one in looked_s.values())
    # In tenths of an interval: none has a third of them, which had all in two of them when they began together.
    since_s = thirds_s[0]
    tenths = Counter(int((one_s - since_s) / (INTERVAL_S / 10)) for one_s in thirds_s)
    assert max(tenths.values()) < MANY / 3
    assert max(one[1] - one[0] for one in looked_s.values()) < 2 * INTERVAL_S, "and no one waits longer than he did"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    server.close()
