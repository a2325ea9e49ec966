"""Sees to it that the Corosync of this node goes by the list of nodes that its file has, whoever failed to tell it so.

Events make it look: a file that was written, a ring that formed anew; now and then it looks without one. Asking and
telling Corosync takes its time in threads: a Corosync that hangs lets whoever asks it hang.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from ...kit.ports import Log
from ..membership import cmap, corosync
from ..membership.nodelist import Nodelist, nodelist_of
from ..membership.ownership import written_by_sfha
from ..membership.taking_up import Behind, Step, TakingUp

ANSWERS_WITHIN_S = 5.0
"""Later, an answer counts for nothing."""
CONF_PATH = corosync.DIRECTORY / "corosync.conf"

Found = tuple[Nodelist | None, Nodelist | None]


def look(conf: Path = CONF_PATH, running: Callable[[], Nodelist | None] = cmap.running_nodelist) -> Found:
    """The list of the file, None where it is not sfha's; and that of the running Corosync, None where none answers."""
    try:
        text = conf.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None, None
    return (nodelist_of(text), running()) if written_by_sfha(text) else (None, None)


class NodelistCare:
    """Made in the daemon's loop, where ``mind`` runs as long as the daemon does."""

    def __init__(self, reload: Callable[[], Awaitable[None]], log: Log, look: Callable[[], Found] = look) -> None:
        """``reload`` has the running Corosync read its file, and raises CorosyncError when that fails."""
        self._reload, self._log, self._look = reload, log, look
        self._core = TakingUp(time.monotonic())
        self._earlier = asyncio.Event()
        self._hangs: asyncio.Future[Found] | None = None
        self._failed = ""

    def written(self) -> None:
        """corosync.conf is another one."""
        self._core.written(time.monotonic())
        self._earlier.set()

    def ring_formed(self) -> None:
        """Corosync reported another membership."""
        self._core.ring_formed(time.monotonic())
        self._earlier.set()

    def status(self) -> dict[str, object] | None:
        """How Corosync differs from its file; None where it does not, or not for long."""
        behind = self._core.behind
        if behind is None:
            return None
        for_s = round(time.monotonic() - behind.since_s, 1)
        return {"for_s": for_s, "reloads": behind.reloads, "helpless": behind.helpless, **_difference(behind)}

    async def mind(self) -> None:
        """For good."""
        while True:
            self._earlier.clear()
            if self._core.due_s > time.monotonic():
                timer = asyncio.get_running_loop().call_at(self._core.due_s, self._earlier.set)
                await self._earlier.wait()
                timer.cancel()
                continue
            at_s = time.monotonic()
            file, running = await self._found()
            for step in self._core.looked(file, running, at_s):
                await self._do(step)

    async def _found(self) -> Found:
        """What a look finds; where an earlier one hangs there is no other beside it, and nothing is found."""
        if self._hangs is not None and not self._hangs.done():
            return None, None
        self._hangs = None
        looking = asyncio.ensure_future(asyncio.to_thread(self._look))
        done, _ = await asyncio.wait({looking}, timeout=ANSWERS_WITHIN_S)
        if not done:
            self._hangs = looking
            looking.add_done_callback(lambda _: self.ring_formed())  # it answers again: as after a ring of its own
            return None, None
        return looking.result()

    async def _do(self, step: Step) -> None:
        behind = self._core.behind
        match step:
            case Step.TELL_BEHIND if behind is not None:
                self._log("corosync-behind", **_difference(behind))
            case Step.TELL_HELPLESS if behind is not None:
                self._log("corosync-stays-behind", reloads=behind.reloads, **_difference(behind))
            case Step.TELL_CAUGHT_UP:
                self._failed = ""
                self._log("corosync-caught-up")
            case Step.RELOAD:
                await self._have_it_reload()

    async def _have_it_reload(self) -> None:
        try:
            await self._reload()
        except (corosync.CorosyncError, OSError) as error:
            if str(error) != self._failed:
                self._failed = str(error)
                self._log("warning", what="corosync's list of nodes", message=self._failed)


def _difference(behind: Behind) -> dict[str, object]:
    return {"refused": behind.refused, "lacks": list(behind.lacks), "has_still": list(behind.has_still)}
