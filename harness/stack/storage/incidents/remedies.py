"""Performs remedies. Each looks again at what it is about to change, under the locks that everybody else takes."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from ..mapping.drivers.choice import BY_THEMSELVES, driver_named, lacks
from ..mapping.drivers.commands import run
from ..mapping.drivers.nbdkit import Nbdkit
from ..mapping.mapper import Mapper, boot_id
from ..mapping.ports import Driver, PortFailed
from ..mapping.record import Record, Stage
from ..mapping.records import Records
from ..mapping.volumes import map_volume, unmap_volume, way_to
from ..mounts import master_of, mounts
from ..moves.progress import Progress
from ..moves.running import resume, set_aside, unfinished
from ..open_files import keepers_of
from ..places import Places
from ..pool.locks import FileLocks, owners
from .core.declared import Remedy
from .host_remedies import make_room, mount_for_writing, wake_udev

END_WITHIN_S = 5.0


class Remedies:
    """For the volumes and devices of this host."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._servers = Nbdkit(places.run)
        self._by_name: Mapping[Remedy, Callable[[str], str]] = {
            "take the link away": self._unlink,
            "make the link": self._relink,
            "clear up the mapping": self._clear,
            "map again": self._map_again,
            "let go of the device": self._let_go,
            "stop the server": self._stop_server,
            "wake the server": self._wake_server,
            "forget the mapping": self._forget,
            "take the socket away": self._take_socket,
            "load the module": _load_module,
            "end who keeps the lock": self._end_keepers,
            "go on with the move": self._go_on,
            "give up the move": lambda identity: set_aside(places, identity),
            "delete what was left": self._delete,
            "start mfsbdev": self._start_mfsbdev,
            "restart the metalogger": _restart_metalogger,
            "make room": lambda _: make_room(places),
            "wake udev": lambda _: wake_udev(),
            "mount it for writing": mount_for_writing,
            "let go of what nobody uses": self._let_go_unused,
        }

    def perform(self, remedy: Remedy, subject: str) -> str:
        """What was done. Raises PortFailed, OSError, InUse."""
        return self._by_name[remedy](subject)

    @contextlib.contextmanager
    def _locked(self, *names: str) -> Iterator[None]:
        locks = FileLocks(self._places.run)
        try:
            for name in names:
                if not locks.take(name):
                    raise PortFailed(f"somebody else has the lock of the {name}")
            yield
        finally:
            locks.release_all()

    def _driver(self) -> Driver:
        for name in BY_THEMSELVES:
            if lacks(name, self._places) is None:
                return driver_named(name, self._places)
        raise PortFailed("no driver can be used: mfs-autonomy status")

    def _link(self, volume: str) -> Path:
        return self._places.links / quote(volume, safe=" ")

    def _unlink(self, volume: str) -> str:
        with self._locked(f"volume {volume}"):
            if Records(self._places.mappings).read(volume) is not None:
                raise PortFailed(f"{volume} is mapped by now")
            self._link(volume).unlink(missing_ok=True)
        return "the link is gone"

    def _relink(self, volume: str) -> str:
        with self._locked(f"volume {volume}"):
            record = self._mapped(volume)
            link, device = self._link(volume), driver_named(record.driver, self._places).device(record.index or 0)
            link.parent.mkdir(parents=True, exist_ok=True)
            fresh = link.with_name(f".{link.name}.new")
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(device)
            fresh.replace(link)
        return f"the link leads to {device}"

    def _mapped(self, volume: str) -> Record:
        record = Records(self._places.mappings).read(volume)
        if record is None or record.stage is not Stage.MAPPED or record.index is None or record.boot != boot_id():
            raise PortFailed(f"{volume} is not mapped any more")
        return record

    def _clear(self, volume: str) -> str:
        unmap_volume(self._places, Path(volume))
        return "it is a file again"

    def _map_again(self, volume: str) -> str:
        """Unmapped first only where the device is there: whoever uses it keeps it from that."""
        record = Records(self._places.mappings).read(volume)
        if record is None:
            raise PortFailed(f"{volume} is not recorded any more: nobody wants it mapped")
        if record.boot == boot_id() and self._attached(record):
            unmap_volume(self._places, Path(volume))
        return map_volume(self._places, Path(volume), way_to(self._places, Path(volume), record.driver))[1]

    def _attached(self, record: Record) -> bool:
        driver = driver_named(record.driver, self._places, Path(record.file))
        return record.index is not None and driver.facts(record.index, None).attached

    def _let_go(self, subject: str) -> str:
        """Of a device that no record claims and nobody uses."""
        index = int(subject.removeprefix("index "))
        with self._locked(subject):
            driver = self._driver()
            view = next(one for one in Mapper(driver, self._places).views() if one.index == index)
            if view.volume or view.facts.holders:
                raise PortFailed(f"index {index} is used by {view.volume or ', '.join(view.facts.holders)}")
            if view.facts.attached and (view.facts.serves or "another program").startswith("another program"):
                raise PortFailed(f"index {index} is another program's")
            run(["nbd-client", "-d", str(driver.device(index))])
            self._servers.stop(index)
        return f"{driver.device(index)} is free"

    def _let_go_unused(self, volume: str) -> str:
        """Of a device that another host has as well: whoever uses it here keeps it, also from the unmapping itself."""
        record = Records(self._places.mappings).read(volume)
        if record is None:
            return "it is not mapped any more"
        if record.route != "device":
            raise PortFailed(f"{volume} is a file here: nobody can tell whether it is used")
        driver = driver_named(record.driver, self._places, Path(record.file))
        view = next((one for one in Mapper(driver, self._places).views() if one.index == record.index), None)
        if view is not None and view.facts.holders:
            raise PortFailed(f"{', '.join(view.facts.holders)} uses it here: stop one of the two")
        unmap_volume(self._places, Path(volume))
        return "it is a file again: nobody used the device"

    def _stop_server(self, subject: str) -> str:
        index = int(subject.removeprefix("server "))
        with self._locked(f"index {index}"):
            views = Mapper(self._driver(), self._places).views()
            view = next(one for one in views if one.index == index)
            if view.volume or view.facts.attached:
                raise PortFailed(f"index {index} is in use by now")
            self._servers.stop(index)
        return "it has ended"

    def _wake_server(self, subject: str) -> str:
        index = int(subject.removeprefix("server "))
        pid = self._servers.pid_of(index)
        if pid is None:
            raise PortFailed(f"index {index} has no server any more")
        os.kill(pid, signal.SIGCONT)
        return f"process {pid} goes on"

    def _forget(self, volume: str) -> str:
        """Let go of the device, then delete the record: what it holds of the volume has no volume to go back to."""
        with contextlib.suppress(PortFailed):  # its last step reads the file, which is gone
            unmap_volume(self._places, Path(volume))
        records = Records(self._places.mappings)
        with self._locked(f"volume {volume}"):
            record = records.read(volume)
            if record is None:
                return "it is not mapped any more"
            if Path(record.file).exists():
                raise PortFailed(f"{volume} is there again")
            if record.boot == boot_id() and self._attached(record):
                raise PortFailed(f"index {record.index} is still attached: who uses it? mfs-autonomy devices")
            records.delete(volume)
            self._link(volume).unlink(missing_ok=True)
        return "record and link are gone"

    def _take_socket(self, subject: str) -> str:
        index = int(subject.removeprefix("socket "))
        with self._locked(f"index {index}"):
            if self._servers.pid_of(index) is not None:
                raise PortFailed(f"index {index} has a server by now")
            self._servers.stop(index)
        return "it is gone"

    def _end_keepers(self, name: str) -> str:
        """Of a lock whose owner is dead; asked to end, then ended."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            held = owners(self._places.run).get(name)
            if held is None:
                break
            pid, place = held
            if Path(f"/proc/{pid}").exists():
                raise PortFailed(f"process {pid} has it by now")
            for one in keepers_of(place):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(one.pid, number)
            end_s = time.monotonic() + END_WITHIN_S
            while name in owners(self._places.run) and time.monotonic() < end_s:
                time.sleep(0.05)
        return "nobody has it"

    def _go_on(self, identity: str) -> str:
        one = next((one for one in unfinished(self._places) if one.journal.stem == identity), None)
        if one is None:
            return "it has ended meanwhile"
        ended = resume(self._places, one, _unseen)
        return "nothing was begun" if ended is None else ended.outcome()

    def _delete(self, path: str) -> str:
        Path(path).unlink(missing_ok=True)
        return "it is gone"

    def _start_mfsbdev(self, _subject: str) -> str:
        mount = next((one for one in mounts() if one.is_moosefs), None)
        if mount is None:
            raise PortFailed("no MooseFS is mounted: mfsmount")
        host, port = master_of(mount)
        return run(["mfsbdev", "start", "-H", host, "-P", str(port), "-l", "/dev/mfs/nbdsock"]).strip() or "started"


def _unseen(_progress: Progress) -> None:
    """Progress that nobody watches."""


def _load_module(name: str) -> str:
    try:
        done = subprocess.run(["modprobe", name], capture_output=True, text=True, check=False, timeout=30)
    except subprocess.TimeoutExpired as error:
        raise PortFailed(f"modprobe {name}: no answer in 30 s") from error
    if done.returncode:
        raise PortFailed(f"modprobe {name}: {done.stderr.strip()}")
    return "it is loaded"


def _restart_metalogger(_subject: str) -> str:
    return run(["mfsmetalogger", "restart"]).strip().splitlines()[-1]
