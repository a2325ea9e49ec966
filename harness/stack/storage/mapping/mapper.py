"""Performs what the core decides: one volume mapped or unmapped, and what there is in the pool."""

import os
import time
from pathlib import Path
from urllib.parse import quote

from ..medium import read_block, write_block
from ..open_files import writers_of
from ..places import Places
from ..pool.core import Claim, IndexView, unquiet
from ..pool.locks import FileLocks
from .core.actions import action_of
from .core.answers import step
from .core.work import BLOCK_BYTES, Action, Answer, Goal, Work
from .drivers import POOL_OF
from .ports import AttachTaken, Driver, PortFailed
from .record import Route
from .records import Records
from .routes import FILE

COOL_S = 1.0
"""How long an index has to be quiet before anybody else may have it: a daemon may finish what a dead one asked for."""
QUIET_WITHIN_S = 15.0
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """Of this boot. Raises OSError."""
    return BOOT_ID.read_text().strip()


class Mapper:
    """Maps volumes with one driver."""

    def __init__(self, driver: Driver, places: Places, *, cool_s: float = COOL_S) -> None:
        self._driver, self._places, self._cool_s = driver, places, cool_s
        self._records = Records(places.mappings)
        self._boot = BOOT_ID.read_text().strip()

    def map(self, file: Path, route: Route = "device", *, shared: bool = False) -> Work:
        """The work when it ended: ``phase`` DONE with its ``index``, or FAILED with ``why``. Raises PortFailed.

        Where it is ``shared`` with another host, nothing is written into it as a proof.
        """
        return self._work("map", file, route, shared=shared)

    def unmap(self, file: Path) -> Work:
        """The same backwards. Raises PortFailed."""
        return self._work("unmap", file, "device")

    def views(self) -> tuple[IndexView, ...]:
        """Every index of the pool. Raises PortFailed."""
        pool = POOL_OF[self._driver.name]
        records = [one for one in self._records.all() if one.boot == self._boot and POOL_OF.get(one.driver) == pool]
        owners = {one.index: one for one in records}
        serving = self._driver.serving()
        names = {f"index {index}": index for index in self._driver.indexes()}
        locked = {names[name] for name in FileLocks(self._places.run).held_by_anybody(names)}
        views = []
        for index in names.values():
            serves = None if serving is None else serving.get(index, "another program")
            facts = self._driver.facts(index, serves)
            owner = owners.get(index)
            claim = owner.claim if owner else Claim.NONE
            views.append(IndexView(index, facts, claim, owner.volume if owner else "", index in locked))
        return tuple(views)

    def link(self, file: Path) -> Path:
        """Where a mapped volume's device is to be found by the name of its file."""
        return self._places.links / quote(volume_of(file), safe=" ")

    def _work(self, goal: Goal, file: Path, route: Route, *, shared: bool = False) -> Work:
        volume = volume_of(file)
        size_bytes = _size_bytes(Path(volume)) if goal == "map" else BLOCK_BYTES
        nonce = os.urandom(BLOCK_BYTES)
        by = self._driver.name if route == "device" else FILE
        work = Work(goal, volume, volume, size_bytes, by, self._boot, nonce, route, shared)
        locks = FileLocks(self._places.run)
        try:
            while not work.ended:
                work = step(work, self._answer(work, action_of(work), locks))
        finally:
            locks.release_all()
        return work

    def _answer(self, work: Work, action: Action, locks: FileLocks) -> Answer:
        try:
            return self._perform(work, action, locks)
        except AttachTaken as error:
            return Answer("taken" if action.act == "attach" else "failed", why=str(error))
        except PortFailed as error:
            return Answer("refused" if action.act == "attach" else "failed", why=str(error))
        except OSError as error:
            return Answer("failed", why=f"{action.act.replace('-', ' ')}: {error.strerror or error}")

    def _perform(self, work: Work, action: Action, locks: FileLocks) -> Answer:
        match action.act:
            case "lock-volume" | "lock-index" | "unlock-volume" | "unlock-index":
                return _lock(work, action, locks)
            case "read-record":
                return Answer("done", self._records.read(work.volume))
            case "write-record" if action.record is not None:
                self._records.write(action.record)
            case "delete-record":
                self._records.delete(work.volume)
            case "survey":
                return Answer("done", self._surveyed(work, locks))
            case "pause":
                time.sleep(action.delay_s)
            case "publish" | "unpublish":
                self._link(work, action)
            case _:
                return self._on_device(work, action, locks)
        return Answer("done")

    def _surveyed(self, work: Work, locks: FileLocks) -> tuple[IndexView, ...]:
        """An index whose lock this work has is not in anybody else's hands."""
        mine = work.index if len(locks.descriptors) > 1 else None
        views = self.views()
        return tuple(
            IndexView(one.index, one.facts, one.claim, one.volume, one.locked and one.index != mine) for one in views
        )

    def _on_device(self, work: Work, action: Action, locks: FileLocks) -> Answer:
        file = Path(work.file)
        match action.act:
            case "read-volume":
                return Answer("done", read_block(file, action.offset, BLOCK_BYTES))
            case "write-volume":
                write_block(file, action.offset, action.data)
                return Answer("done")
        assert action.index is not None
        device = self._driver.device(action.index)
        match action.act:
            case "attach":
                if writers := writers_of(file):  # a second data path, if the device became another one
                    raise PortFailed(f"open for writing by {', '.join(writers)}: stop whoever uses it as a file")
                self._driver.attach(action.index, file, locks.descriptors)
            case "detach":
                self._driver.detach(action.index, file, locks.descriptors)
            case "cool":
                return self._cooled(action.index)
            case "read-device":
                return Answer("done", read_block(device, action.offset, BLOCK_BYTES))
            case "write-device":
                write_block(device, action.offset, action.data)
        return Answer("done")

    def _cooled(self, index: int) -> Answer:
        """Quiet for the whole cool-down, without interruption."""
        end_s, quiet_since_s = time.monotonic() + QUIET_WITHIN_S, time.monotonic()
        while True:
            facts, now_s = self._driver.facts(index, None), time.monotonic()
            if facts.attached:
                return Answer("late")
            reasons = unquiet(facts)
            if reasons:
                quiet_since_s = now_s
            elif now_s - quiet_since_s >= self._cool_s:
                return Answer("quiet")
            if now_s > end_s:
                return Answer("failed", why=f"index {index} does not come to rest: {', '.join(reasons)}")
            time.sleep(0.02)

    def _link(self, work: Work, action: Action) -> None:
        link = self.link(Path(work.volume))
        if action.act == "unpublish":
            link.unlink(missing_ok=True)
            return
        assert action.index is not None
        link.parent.mkdir(parents=True, exist_ok=True)
        fresh = link.with_name(f".{link.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(self._driver.device(action.index))
        fresh.replace(link)


def volume_of(file: Path) -> str:
    """What a volume is called: by the one name of its file, so that nobody maps it under another."""
    return str(file.resolve())


def _lock(work: Work, action: Action, locks: FileLocks) -> Answer:
    name = f"volume {work.volume}" if action.act.endswith("volume") else f"index {action.index}"
    if action.act.startswith("un"):
        locks.release(name)
        return Answer("done")
    return Answer("held" if locks.take(name) else "busy")


def _size_bytes(file: Path) -> int:
    try:
        size_bytes = file.stat().st_size
    except OSError as error:
        raise PortFailed(f"{file}: {error.strerror}") from error
    if not file.is_file():
        raise PortFailed(f"{file} is not a regular file")
    if size_bytes < BLOCK_BYTES or size_bytes % BLOCK_BYTES:
        raise PortFailed(f"{file} has {size_bytes} bytes; a volume has a multiple of {BLOCK_BYTES}")
    return size_bytes
