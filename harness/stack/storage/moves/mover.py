"""Performs a move, phase by phase; each is in the journal before anything is done in it."""

import time
from collections.abc import Callable
from dataclasses import replace

from .copying import WORKERS, Report, copy, digest_of
from .core import TRANSITIONS, WRITTEN, Fingerprint, Move, Phase, Table, resumed, step
from .digest import BLOCK_BYTES
from .journal import line_of, read
from .ports import Disk

Preflight = Callable[[Move], str]
"""Why the move must not begin; empty where it may."""
Wait = Callable[[float], None]


class Stop(Exception):
    """A phase cannot be done; the message says why."""


class Mover:
    """Moves on one disk, with a journal file for each."""

    def __init__(
        self,
        disk: Disk,
        journal: str,
        *,
        table: Table = TRANSITIONS,
        wait: Wait = time.sleep,
        block_bytes: int = BLOCK_BYTES,
        workers: int = WORKERS,
    ) -> None:
        self._disk, self._journal, self._table, self._wait = disk, journal, table, wait
        self._block_bytes, self._workers = block_bytes, workers
        self._whole_bytes = 0
        self._sealed: Fingerprint | None = None
        """The target once all of it was on the medium, before it was read back."""
        self._report: Report = lambda _: None

    def move(self, move: Move, preflight: Preflight = lambda _: "", report: Report = lambda _: None) -> Move:
        """From the start to an end; ``phase`` and ``why`` of what it gives say which."""
        self._report = report
        why = self._first_look(move) or preflight(move)
        if why:
            return replace(step(move, "failed", why), phase=Phase.REFUSED)
        return self._run(replace(move, before=self._disk.fingerprint(move.source)))

    def resume(self, report: Report = lambda _: None) -> Move | None:
        """From where the journal ends, after a crash of anything; None where no move had begun. JournalDamaged."""
        self._report = report
        found, self._whole_bytes = read(self._disk.content(self._journal))
        return None if found is None else self._run(resumed(found))

    def _first_look(self, move: Move) -> str:
        try:
            source, target = self._disk.fingerprint(move.source), self._disk.fingerprint(move.target)
        except OSError as error:
            return _said(error)
        if source is None:
            return f"{move.source}: there is no such file"
        if target is not None:
            return f"{move.target} is there already: move it away, or name another target"
        return ""

    def _run(self, move: Move) -> Move:
        while True:
            if move.phase in WRITTEN:
                try:
                    line = line_of(move)
                    self._disk.append(self._journal, line, self._whole_bytes)
                    self._whole_bytes += len(line)
                except OSError as error:
                    # It may be on the disk all the same: the next one reads it there.
                    return replace(move, phase=Phase.STOPPED, why=f"the journal cannot be written: {_said(error)}")
            if move.ended:
                return move
            try:
                move, outcome, why = *self._perform(move), ""
            except (Stop, OSError) as error:
                outcome, why = "failed", str(error) if isinstance(error, Stop) else _said(error)
            move = step(move, outcome, why, self._table)

    def _perform(self, move: Move) -> tuple[Move, str]:
        disk = self._disk
        match move.phase:
            case Phase.SNAPSHOT:
                disk.snapshot(move.source, move.snapshot)
            case Phase.COPY:
                return self._copy(move), "done"
            case Phase.VERIFY:
                self._verify(move)
            case Phase.PLACE:
                self._place(move)
            case Phase.GRACE:
                if move.keep_source:
                    return move, "keep"
                self._wait(move.grace_s)
            case Phase.DELETE_SOURCE:
                self._delete_source(move)
            case Phase.CLEAN_UP:
                self._clean_up(move)
            case Phase.ROLL_BACK:
                self._roll_back(move)
        return move, "done"

    def _copy(self, move: Move) -> Move:
        self._unchanged(move)
        disk = self._disk
        with disk.reading(move.source) as source, disk.creating(move.part, source.size_bytes, move.source) as target:
            digest = copy(source, target, self._report, self._block_bytes, self._workers)
        self._disk.sync_folder(move.part)
        self._sealed = self._disk.fingerprint(move.part)
        return replace(move, digest=digest)

    def _verify(self, move: Move) -> None:
        self._sealed = self._sealed or self._disk.fingerprint(move.part)
        with self._disk.reading_medium(move.part, cached=move.verify_cached) as part:
            found = digest_of(part, self._report, self._block_bytes, self._workers)
        if found != move.digest:
            raise Stop(f"the target is not what was read from the source ({found[:16]}, not {move.digest[:16]})")
        self._unchanged(move)
        self._still_sealed(move)

    def _still_sealed(self, move: Move) -> None:
        if self._disk.fingerprint(move.part) != self._sealed:
            raise Stop("the target was written to by somebody else: it is not what was verified")

    def _unchanged(self, move: Move) -> None:
        if self._disk.fingerprint(move.source) != move.before:
            raise Stop("the source was written to while it was moved: stop whoever uses it first")

    def _ours(self, move: Move) -> bool:
        """Whether what has the target's name is what we copied, and not somebody else's file."""
        placed, part = self._disk.fingerprint(move.target), self._disk.fingerprint(move.part)
        return placed is not None and placed == part

    def _place(self, move: Move) -> None:
        self._still_sealed(move)
        if not self._ours(move):
            self._disk.link(move.part, move.target)
        self._disk.sync_folder(move.target)
        self._unchanged(move)

    def _delete_source(self, move: Move) -> None:
        """The source goes only while the verified target is there, and only what was copied goes."""
        if not self._ours(move):
            raise Stop(f"{move.target} is not what was verified any more: the source is kept")
        if self._disk.fingerprint(move.source) not in (move.before, None):
            raise Stop("the source was written to after it was copied: both are kept, for a person to compare")
        self._disk.unlink(move.source)
        self._disk.sync_folder(move.source)

    def _clean_up(self, move: Move) -> None:
        for path in (move.snapshot, move.part):
            self._disk.unlink(path)
            self._disk.sync_folder(path)

    def _roll_back(self, move: Move) -> None:
        if self._ours(move):
            self._disk.unlink(move.target)
            self._disk.sync_folder(move.target)
        self._clean_up(move)


def _said(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}"
