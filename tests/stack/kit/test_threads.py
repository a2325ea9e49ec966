"""Work in threads of its own: many that hang keep neither others nor the end waiting."""

import _thread
import asyncio
import threading
import time

import pytest

from harness.stack.kit.threads import READY, OwnThreads, elsewhere

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


def test_no_thread_is_begun_for_what_one_that_is_there_can_do() -> None:
    """To begin one takes a lock of the kernel that whoever starts a container on the host may have for long."""
    threads, idents, let_go = OwnThreads(), set[int](), threading.Event()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_thread, "start_new_thread", None)
        for _ in range(MANY):
            idents.add(threads.submit(threading.get_ident).result(PATIENCE_S))
            deadline_s = time.monotonic() + PATIENCE_S
            while threads._free < READY:
                assert time.monotonic() < deadline_s
    assert len(idents) <= READY
    hanging = [threads.submit(let_go.wait, 2 * PATIENCE_S) for _ in range(MANY)]
    assert threads.submit(str, 7).result(PATIENCE_S) == "7"
    let_go.set()
    assert all(future.result(PATIENCE_S) for future in hanging)
    threads.shutdown()
