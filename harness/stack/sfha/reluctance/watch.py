"""Every reason there is, looked at as long as the daemon runs."""

from collections.abc import Callable, Sequence

from .disk import Disk
from .reason import Reason

LOOK_EVERY_S = 5.0


def reasons() -> tuple[Reason, ...]:
    """All of them."""
    return (Disk(),)


async def watch(found: Sequence[Reason], report: Callable[[str, bool], None]) -> None:
    """Say of each reason whether it is so, again and again; the lease's loop waits for none of the looks."""
    import asyncio  # not with the daemon's first programs: a start does not wait for it

    while True:
        for reason in found:
            report(reason.name, await asyncio.to_thread(reason.look))
        await asyncio.sleep(LOOK_EVERY_S)
