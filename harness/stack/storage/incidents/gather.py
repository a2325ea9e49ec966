"""Looks at this host: what incidents are told by. Nothing is changed by it."""

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote

from ..mapping.drivers.choice import BY_THEMSELVES, driver_named, lacks
from ..mapping.drivers.nbdkit import Nbdkit
from ..mapping.mapper import Mapper, boot_id
from ..mapping.ports import Driver, PortFailed
from ..mapping.record import Record, Stage
from ..mapping.records import Records
from ..mapping.routes import Routes
from ..medium import read_block
from ..moosefs import silence_of
from ..mounts import master_of, mounts
from ..moves.running import unfinished
from ..open_files import keepers_of, writers
from ..peers.view import elsewhere, silent
from ..places import Places
from ..pool.block_devices import devices
from ..pool.core import IndexView
from ..pool.locks import owners
from .core.facts import NO_ANSWER, Facts, Held, Master, Metalogger, Server, Unended, Volume

READ_WITHIN_S = 3.0
OLD_S = 3600.0
SYS_BLOCK = Path("/sys/block")
BLOCK_BYTES = 4096
METALOGGER_PROCESS, METALOGGER_FOLDER = "mfsmetalogger", Path("/var/lib/mfs")
METALOGGER_CONFIG = Path("/etc/mfs/mfsmetalogger.cfg")
CHUNK_CONFIG = Path("/etc/mfs/mfshdd.cfg")


class Gatherer:
    """``look`` is called again and again, by one thread at a time."""

    def __init__(self, places: Places, read_within_s: float = READ_WITHIN_S) -> None:
        self._places, self._read_within_s = places, read_within_s
        self._reading: dict[int, threading.Thread] = {}
        self._answers: dict[int, str] = {}
        self._servers = Nbdkit(places.run)

    def look(self) -> Facts:
        """Everything, in a second or so. Raises OSError, PortFailed."""
        places, boot = self._places, boot_id()
        records, bad = Records(places.mappings).readable()
        driver = next((driver_named(name, places) for name in BY_THEMSELVES if lacks(name, places) is None), None)
        views = Mapper(driver, places).views() if driver is not None and not bad else ()
        indexes = tuple(one.index for one in views)
        locks = self._locks()
        servers = self._running(indexes)
        masters = tuple(_masters())
        reached = [one for one in records if not _is_on(one.file, [master.point for master in masters if master.error])]
        mapped = [one for one in records if one.stage is Stage.MAPPED and one.boot == boot and one.index is not None]
        return Facts(
            boot=boot,
            nbd_loaded=bool(devices(SYS_BLOCK, "nbd")),
            nbd_available=_has_module("nbd"),
            nbd_wanted=any(_installed(name) for name in ("nbd-client", "mfsbdev")),
            udev_settled=not Path("/run/udev/queue").exists(),
            views=views,
            records=tuple(records),
            links=self._links(),
            devices={} if driver is None else {index: str(driver.device(index)) for index in indexes},
            volumes=_volumes(reached, servers),
            reverted=self._reverted(records, masters),
            servers=servers,
            sockets=tuple(self._servers.sockets()),
            reads={} if driver is None else self._reads(mapped, driver, views),
            locks=locks,
            moves=self._moves(locks),
            leftovers=tuple(self._leftovers()),
            unreadable=tuple(map(str, bad)),
            state_free_bytes=_free_bytes(places.state),
            run_free_bytes=_free_bytes(places.run),
            clock_year=time.gmtime().tm_year,
            masters=masters,
            mfsbdev_gone=any(one.driver == "mfsbdev" for one in records) and _not_listening(places),
            metalogger=_metalogger(),
            chunk_folders=_chunk_folders(),
            elsewhere=elsewhere(places),
            silent_peers=silent(places),
        )

    def _links(self) -> dict[str, str]:
        found = {}
        for link in self._places.links.glob("*"):
            try:
                found[unquote(link.name)] = str(link.readlink())
            except OSError:
                continue
        return found

    def _running(self, indexes: tuple[int, ...]) -> dict[int, Server]:
        found = {}
        for index in indexes:
            pid, file = self._servers.pid_of(index), self._servers.meant_for(index)
            if pid is not None:
                found[index] = Server(pid, file or "?", _state_of(pid) in ("T", "t"))
        return found

    def _reverted(self, records: list[Record], masters: Sequence[Master]) -> dict[str, tuple[str, ...]]:
        silent = [one.point for one in masters if one.error]
        by_device = (one for one in Routes(self._places.routes).by_device() if not _is_on(one, silent))
        unmapped = set(by_device) - {one.volume for one in records}
        if not unmapped:
            return {}
        writing = writers(Path(one) for one in unmapped)
        return {str(file): tuple(map(str, users)) for file, users in writing.items() if users}

    def _locks(self) -> dict[str, Held]:
        found = {}
        for name, (pid, place) in owners(self._places.run).items():
            lives = Path(f"/proc/{pid}").exists()
            keepers = () if lives else tuple((one.pid, one.program) for one in keepers_of(place))
            found[name] = Held(pid, lives, keepers)
        return found

    def _moves(self, locks: Mapping[str, Held]) -> dict[str, Unended]:
        found = {}
        for one in unfinished(self._places):
            move = one.move
            if move is None:
                found[one.journal.stem] = Unended("?", "?", "?", damaged=one.damaged)
                continue
            busy = any(f"volume {path}" in locks for path in (move.source, move.target))
            found[move.id] = Unended(move.source, move.target, move.phase.value, busy)
        return found

    def _leftovers(self) -> list[str]:
        """Of writes that never were given their name, and of what preflight tried."""
        patterns = ((self._places.state, "*/*.new"), (self._places.journals, ".mfs-preflight-*"))
        old = []
        for folder, pattern in patterns:
            for path in folder.glob(pattern):
                try:
                    old += [str(path)] if time.time() - path.stat().st_mtime > OLD_S else []
                except OSError:
                    continue
        return old

    def _reads(self, mapped: list[Record], driver: Driver, views: tuple[IndexView, ...]) -> dict[int, str]:
        """The last block of each device; a read that hangs keeps its thread, and no other is begun there."""
        sizes = {one.index: one.facts.size_bytes for one in views if one.facts.attached}
        wanted = [
            index for one in mapped if sizes.get(index := -1 if one.index is None else one.index, 0) >= BLOCK_BYTES
        ]
        for index in wanted:
            if index not in self._reading or not self._reading[index].is_alive():
                offset = (sizes[index] // BLOCK_BYTES - 1) * BLOCK_BYTES
                self._answers.pop(index, None)
                thread = threading.Thread(target=self._read, args=(index, driver.device(index), offset), daemon=True)
                self._reading[index] = thread
                thread.start()
        end_s = time.monotonic() + self._read_within_s
        for index in wanted:
            self._reading[index].join(max(0.0, end_s - time.monotonic()))
        return {index: self._answers.get(index, NO_ANSWER) for index in wanted}

    def _read(self, index: int, device: Path, offset: int) -> None:
        try:
            read_block(device, offset, BLOCK_BYTES)
            self._answers[index] = ""
        except OSError as error:
            self._answers[index] = error.strerror or str(error)


def _is_on(file: str, silent: list[str]) -> bool:
    """Whether it is on a mount whose master is silent: whoever touches it then waits until that is back."""
    return any(Path(point) in Path(file).parents for point in silent)


def _volumes(records: list[Record], servers: Mapping[int, Server]) -> dict[str, Volume]:
    files = {one.volume: Path(one.file) for one in records}
    writing = writers(files.values())
    own = {server.pid for server in servers.values()}
    found = {}
    for one in records:
        try:
            size_bytes = Path(one.file).stat().st_size
        except FileNotFoundError:
            found[one.volume] = Volume(there=False)
            continue
        except OSError:
            continue
        others = [] if one.route == "file" else [user for user in writing[Path(one.file)] if user.pid not in own]
        found[one.volume] = Volume(True, size_bytes, tuple(map(str, others)))
    return found


def _installed(program: str) -> bool:
    return any(Path(folder, program).exists() for folder in ("/usr/sbin", "/usr/bin", "/sbin", "/bin"))


def _has_module(name: str) -> bool:
    try:
        asked = subprocess.run(["modprobe", "--dry-run", "--quiet", name], capture_output=True, check=False, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


def _state_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""


def _free_bytes(folder: Path) -> int:
    there = next(path for path in (folder, *folder.parents) if path.is_dir())
    found = os.statvfs(there)
    return found.f_bavail * found.f_frsize


def _masters() -> list[Master]:
    found = []
    for one in mounts():
        if one.is_moosefs:
            host, port = master_of(one)
            found.append(Master(str(one.point), f"{host}:{port}", silence_of(host, port), "ro" in one.options))
    return found


def _not_listening(places: Places) -> bool:
    try:
        return driver_named("mfsbdev", places).serving() is None
    except PortFailed:
        return True


def _metalogger() -> Metalogger | None:
    """Of the one that runs here."""
    folder = _metalogger_folder()
    if not folder.is_dir() or METALOGGER_PROCESS not in _programs():
        return None
    changelogs = len(list(folder.glob("changelog_ml.*.mfs")))
    metadata = folder / "metadata_ml.mfs.back"
    return Metalogger(str(folder), changelogs, metadata.exists() and metadata.stat().st_size > 0)


def _metalogger_folder(config: Path = METALOGGER_CONFIG) -> Path:
    """As its settings say (DATA_PATH; the last counts), else where Debian has it."""
    try:
        lines = config.read_text().splitlines()
    except OSError:
        return METALOGGER_FOLDER
    said = [line.partition("=")[2].strip() for line in lines if line.partition("=")[0].strip() == "DATA_PATH"]
    return Path(said[-1]) if said else METALOGGER_FOLDER


def _programs() -> set[str]:
    found = set()
    for path in Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):  # it has ended
            found.add(path.read_text().strip())
    return found


def _chunk_folders(config: Path = CHUNK_CONFIG) -> dict[str, float]:
    try:
        lines = config.read_text().splitlines()
    except OSError:
        return {}
    found = {}
    for line in lines:
        folder = line.split("#")[0].strip().lstrip("*<>~").split(" ")[0]
        if not folder.startswith("/"):
            continue
        try:
            seen = os.statvfs(folder)
        except OSError:
            continue
        total = seen.f_blocks - seen.f_bfree + seen.f_bavail
        found[folder] = 1.0 - seen.f_bavail / total if total else 0.0
    return found
