"""Services and looks at their health, with real processes, from a loop that never waits for them."""

import asyncio
from pathlib import Path

import pytest

from harness.stack.sfha.config.resources import Check, Service
from harness.stack.sfha.daemon import node_selector
from harness.stack.sfha.daemon.node_selector import NodeSelector
from harness.stack.sfha.services import runner
from harness.stack.sfha.services.core import Ended, Signal, Started, Stopped
from harness.stack.sfha.services.service_thread import ServiceThread

WITHIN_S = 15.0
WORKER = Service("worker", "process", command=("sleep", "60"))
SHORT = Service("short", "process", command=("true",))


def nothing_goes_wrong(event: str, **fields: object) -> None:
    """The log of a service that only does what it should."""
    raise AssertionError(event, fields)


@pytest.fixture(autouse=True)
def elsewhere_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = dict(runner.Runner.__init__.__kwdefaults__ or {})
    defaults |= {"state_directory": tmp_path / "state", "log_directory": tmp_path / "log"}
    monkeypatch.setattr(runner.Runner.__init__, "__kwdefaults__", defaults)


def test_what_comes_of_services_is_reported_in_the_loop_that_asked() -> None:
    came: list[object] = []
    probes: list[object] = []

    async def main(_selector: NodeSelector) -> None:
        loop, more = asyncio.get_running_loop(), asyncio.Event()

        def reported(signal: Signal) -> None:
            assert asyncio.get_running_loop() is loop
            came.append(signal)
            more.set()

        def probed(name: str, round_: int, error: str | None) -> None:
            assert asyncio.get_running_loop() is loop
            probes.append((name, round_, error))
            more.set()

        async def until(count: int, seen: list[object]) -> None:
            async with asyncio.timeout(WITHIN_S):
                while len(seen) < count:
                    more.clear()
                    await more.wait()

        service_thread = ServiceThread(nothing_goes_wrong)
        service_thread.report_to(reported, probed)
        service_thread.configure([WORKER, SHORT])
        assert await service_thread.clear() == []
        service_thread.start("worker")
        await until(1, came)
        service_thread.stop("worker", kill=True)
        await until(2, came)
        service_thread.start("short")
        await until(4, came)
        service_thread.probe("worker", 7, Check("command", "test 1 = 2", timeout_s=WITHIN_S))
        await until(1, probes)

    node_selector.run(main)
    assert came == [Started("worker", None), Stopped("worker"), Started("short", None), came[3]]
    assert isinstance(came[3], Ended)
    assert probes == [("worker", 7, "test 1 = 2: exit code 1")]
