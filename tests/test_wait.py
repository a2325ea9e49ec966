"""Acts, alone and side by side: nothing of them goes on behind anybody's back."""

import asyncio

import pytest

from harness.wait import all_of, finished, together, until


async def test_all_are_done_at_once() -> None:
    done: list[int] = []
    first = asyncio.Event()

    async def waits() -> None:
        await first.wait()
        done.append(1)

    async def lets_go() -> None:
        first.set()
        done.append(2)

    await together(waits(), lets_go())
    assert sorted(done) == [1, 2]


async def test_the_others_have_ended_when_one_fails() -> None:
    ended: list[str] = []
    begun = asyncio.Event()

    async def goes_on() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.to_thread(ended.append, "as it should")

    async def fails() -> None:
        await begun.wait()
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        await together(goes_on(), fails())
    assert ended == ["as it should"]


async def test_a_condition_is_looked_at_once_more_after_its_time() -> None:
    assert await until(lambda: "found", within_s=0, what="never") == "found"


async def test_each_of_all_is_tried_whatever_becomes_of_the_others() -> None:
    done: list[str] = []
    failed = asyncio.Event()

    async def fails(why: str) -> None:
        failed.set()
        raise RuntimeError(why)

    async def goes_on() -> None:
        await failed.wait()
        await asyncio.to_thread(done.append, "to its end")

    with pytest.raises(RuntimeError, match="no"):
        await all_of(fails("no"), goes_on())
    assert done == ["to its end"]
    with pytest.raises(ExceptionGroup, match="this; that") as several:
        await all_of(fails("this"), fails("that"))
    assert len(several.value.exceptions) == 2


async def test_what_has_to_be_finished_is_done_before_its_caller_is_cancelled() -> None:
    done: list[str] = []
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def act() -> None:
        begun.set()
        await may_end.wait()
        done.append("to its end")

    caller = asyncio.create_task(finished(act()))
    await begun.wait()
    for _ in range(2):  # whoever is cancelled twice waits all the same
        caller.cancel()
        await asyncio.sleep(0)
    assert not caller.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert done == ["to its end"]


@pytest.mark.parametrize("cancels", [False, True])
async def test_the_error_of_what_had_to_be_finished_is_not_lost(cancels: bool) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def fails() -> None:
        begun.set()
        await may_end.wait()
        raise RuntimeError("no")

    caller = asyncio.create_task(finished(fails()))
    await begun.wait()
    if cancels:
        caller.cancel()
        await asyncio.sleep(0)
    may_end.set()
    with pytest.raises(asyncio.CancelledError if cancels else RuntimeError) as raised:
        await caller
    assert str(raised.value.__cause__ if cancels else raised.value) == "no"


async def test_what_is_finished_gives_what_it_found() -> None:
    assert await finished(asyncio.to_thread(lambda: "found")) == "found"
