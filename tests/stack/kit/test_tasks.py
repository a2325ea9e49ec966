"""No error of background work is lost."""

import asyncio
import gc

from harness.stack.kit.tasks import Tasks


class Log(list[dict[str, object]]):
    """What was logged."""

    def __call__(self, event: str, **fields: object) -> None:
        self.append({"event": event, **fields})


async def broken() -> int:
    await asyncio.sleep(0)
    raise KeyError("epoch")


async def test_what_background_work_raises_is_logged_with_its_place() -> None:
    log = Log()
    task = Tasks(log).start("following the roster", broken())
    await asyncio.wait({task})
    await asyncio.sleep(0)
    ((one),) = log
    assert (one["event"], one["what"]) == ("warning", "following the roster")
    assert str(one["message"]).startswith("KeyError: 'epoch' (")
    assert "test_tasks.py:" in str(one["message"])


async def test_work_is_kept_until_it_ends() -> None:
    began, go_on, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        began.set()
        await go_on.wait()
        done.set()

    tasks = Tasks(Log())
    tasks.start_later(0.001, "work", work)
    await asyncio.wait_for(began.wait(), 5)
    gc.collect()
    go_on.set()
    await asyncio.wait_for(done.wait(), 5)


async def test_whoever_awaits_it_has_its_result_and_what_is_cancelled_is_no_error() -> None:
    async def seven() -> int:
        return 7

    log = Log()
    tasks = Tasks(log)
    assert await tasks.start("seven", seven()) == 7
    waiting = tasks.start("waiting", asyncio.sleep(60))
    waiting.cancel()
    await asyncio.wait({waiting})
    await asyncio.sleep(0)
    assert log == []
