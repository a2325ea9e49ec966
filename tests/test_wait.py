"""Acts side by side: when one fails, nothing of the others goes on behind anybody's back."""

import asyncio

import pytest

from harness.wait import together, until


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
