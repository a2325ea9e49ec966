"""Waiting: for a condition, with a deadline and what to say when it passes; and for acts, alone or side by side."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar, overload

from harness.clock import now_s
from harness.errors import DeadlinePassed

Found = TypeVar("Found")


async def together(*acts: Awaitable[object]) -> None:
    """Do all at once. When one fails, the others are cancelled, and have ended before its error is raised.

    asyncio.gather would let them go on, and nobody would know of what they still make.
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
    """Do one after the other, all of them. What went wrong is raised afterwards."""
    errors: list[Exception] = []
    for act in acts:
        try:
            await act()
        except Exception as error:
            errors.append(error)
    _raise_all(errors)


async def all_of(*acts: Awaitable[object]) -> None:
    """Do all at once, each to its end whatever becomes of the others. What went wrong is raised afterwards.

    For tidying up, where every part has to be tried. Where one failure makes the rest pointless, see ``together``.
    """
    tasks = [asyncio.ensure_future(act) for act in acts]
    found = await asyncio.gather(*tasks, return_exceptions=True)
    for stopped in found:
        if isinstance(stopped, BaseException) and not isinstance(stopped, Exception):
            raise stopped
    _raise_all([error for error in found if isinstance(error, Exception)])


async def finished(act: Awaitable[Found]) -> Found:
    """Do it to its end even when the caller is cancelled meanwhile; the cancellation is raised after that.

    With asyncio.shield alone the act would go on in the background, beside whatever its caller does next. An error of
    the act is raised, or is the cause of the cancellation.
    """
    task = asyncio.ensure_future(act)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled from (None if task.cancelled() else task.exception())
    return task.result()


def _raise_all(errors: Sequence[Exception]) -> None:
    """Nothing when there are none; one as it is, several in a group."""
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

    Raises DeadlinePassed, naming ``what``, when ``within_s`` seconds have gone by. The condition is always tried once
    more after the deadline, so that a starved machine does not turn a true condition into a failure.
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
