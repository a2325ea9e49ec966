"""Waiting: for a condition, with a deadline and what to say when it passes; and for acts side by side."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

from harness.clock import now_s
from harness.errors import DeadlinePassed

Found = TypeVar("Found")


async def together(*acts: Awaitable[object]) -> None:
    """Do all at once. When one fails, the others are cancelled and have ended before its error is raised.

    Unlike asyncio.gather, which lets them go on: what they make then, nobody would know of.
    """
    tasks = [asyncio.ensure_future(act) for act in acts]
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


async def each(*acts: Callable[[], Awaitable[object]]) -> None:
    """Do one after the other, all of them. Raises what went wrong afterwards."""
    errors: list[Exception] = []
    for act in acts:
        try:
            await act()
        except Exception as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ExceptionGroup("; ".join(map(str, errors)), errors)


@overload
async def until(
    condition: Callable[[], Awaitable[Found | None]], *, within_s: float, what: str, every_s: float = 0.005
) -> Found: ...
@overload
async def until(
    condition: Callable[[], Found | None], *, within_s: float, what: str, every_s: float = 0.005
) -> Found: ...
async def until(
    condition: Callable[[], Found | None] | Callable[[], Awaitable[Found | None]],
    *,
    within_s: float,
    what: str,
    every_s: float = 0.005,
) -> Found:
    """Wait until ``condition`` gives something truthy, and return it.

    Raises DeadlinePassed, naming ``what``, when ``within_s`` seconds have gone by.
    The condition is always tried once more after the deadline, so that a starved
    machine does not turn a true condition into a failure.
    """
    deadline_s = now_s() + within_s
    while True:
        late = now_s() >= deadline_s
        found = condition()
        if isinstance(found, Awaitable):
            found = await found
        if found:
            return found
        if late:
            raise DeadlinePassed(f"{what}: not within {within_s:g} s")
        await asyncio.sleep(every_s)
