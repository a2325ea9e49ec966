"""Work in threads of its own: many that hang keep neither others nor the end waiting."""

import _thread
import asyncio
import threading
import time
from collections.abc import Callable

import pytest

from harness.stack.elsewhere import OwnThreads, elsewhere

MANY = 100
PATIENCE_S = 15.0


def test_many_that_hang_keep_nobody_waiting() -> None:
    let_go = threading.Event()

    async def main() -> str:
        asyncio.get_running_loop().set_default_executor(OwnThreads())
        hanging = [asyncio.create_task(asyncio.to_thread(let_go.wait, 2 * PATIENCE_S)) for _ in range(MANY)]
        await asyncio.sleep(0)
        answer = await elsewhere(PATIENCE_S, str, 7)
        for task in hanging:
            task.cancel()
        return answer

    began_s = time.monotonic()
    assert asyncio.run(main()) == "7"
    assert time.monotonic() - began_s < PATIENCE_S, "the end waited for what hangs"
    let_go.set()


def test_what_takes_too_long_is_given_up() -> None:
    let_go = threading.Event()

    async def main() -> None:
        asyncio.get_running_loop().set_default_executor(OwnThreads())
        with pytest.raises(TimeoutError):
            await elsewhere(0.01, let_go.wait, PATIENCE_S)

    asyncio.run(main())
    let_go.set()


def test_errors_come_back() -> None:
    async def main() -> None:
        asyncio.get_running_loop().set_default_executor(OwnThreads())
        with pytest.raises(ValueError, match="invalid literal"):
            await asyncio.to_thread(int, "x")

    asyncio.run(main())


def test_whoever_asks_begins_no_thread_himself() -> None:
    """To begin one takes a lock of the kernel that whoever starts a container on the host may have for long."""
    begun_by: list[int] = []
    begin = _thread.start_new_thread

    def noted(work: Callable[[], object], arguments: tuple[()]) -> int:
        begun_by.append(threading.get_ident())
        return begin(work, arguments)

    threads = OwnThreads()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_thread, "start_new_thread", noted)
        assert threads.submit(str, 7).result(PATIENCE_S) == "7"
    assert len(begun_by) == 1
    assert threading.get_ident() not in begun_by
    threads.shutdown()
