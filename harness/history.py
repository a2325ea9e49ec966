"""The history of a run: an append-only file of events, one JSON object a line.

Every process of a run appends for itself. A line is one ``write`` to a file opened with
O_APPEND, so lines of different processes never mix, and whatever was written before a crash
is there afterwards. A torn last line (the host lost power) is dropped on reading; a bad line
anywhere else is an error that names the line.
"""

import contextlib
import functools
import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar, Union, cast

import msgspec

from harness.errors import HarnessError
from harness.events import FORMAT, Completed, Event, Invoked, RunStarted
from harness.operations import Columns, Pairing

FILE_NAME = "history.jsonl"
RUN_STARTED = str(RunStarted.__struct_config__.tag)
MAX_NESTING = 100
"""So many lists and maps may be inside each other: whatever walks through them calls itself."""
Kind = TypeVar("Kind", bound=Event)
_ENCODER = msgspec.json.Encoder(enc_hook=str)


class Recorder:
    """Appends events to a history file. Safe to use from several processes at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)

    def record(self, event: Event) -> None:
        """Append one event; it is readable by others when this returns. Raises HarnessError when it cannot be."""
        line = encode(event)
        try:
            written = os.write(self._descriptor, line)
        except OSError as error:
            raise HarnessError(f"{self.path}: {error.strerror}: the run cannot be recorded") from error
        if written < len(line):
            raise HarnessError(f"{self.path}: no room is left on the disk: the run cannot be recorded")

    def close(self) -> None:
        """Stop recording; the file stays."""
        os.close(self._descriptor)


class History:
    """What happened, in the order of its times. Immutable: checks and reports read this and nothing else.

    ``events`` has everything but what clients did: of that there can be millions, so it is in ``operations``, in
    flat columns. ``first_s`` and ``last_s`` are the times of the first and the last event of all, 0.0 without any.
    """

    def __init__(self, events: Iterable[Event]) -> None:
        pairing, others = Pairing(), []
        first_s, last_s = float("inf"), float("-inf")
        for event in events:
            t_s = event.t_s
            first_s, last_s = t_s if t_s < first_s else first_s, t_s if t_s > last_s else last_s
            if isinstance(event, (Invoked, Completed)):
                pairing.take(event)
            else:
                others.append(event)
        self._keep(others, pairing.end(), first_s, last_s)

    @classmethod
    def of_pieces(cls, events: Iterable[Event], operations: Columns, first_s: float, last_s: float) -> "History":
        """What has been taken apart already: operations, all other events, and the times of the first and the last."""
        history = cls.__new__(cls)
        history._keep(events, operations, first_s, last_s)
        return history

    def _keep(self, events: Iterable[Event], operations: Columns, first_s: float, last_s: float) -> None:
        self.first_s, self.last_s = (first_s, last_s) if first_s <= last_s else (0.0, 0.0)
        self.operations = operations
        self.events: tuple[Event, ...] = tuple(sorted(events, key=lambda event: event.t_s))
        # Checks ask for a few classes many times over; where each class is spares them the walk.
        self._places: dict[type[Event], list[int]] = {}
        for place, event in enumerate(self.events):
            self._places.setdefault(type(event), []).append(place)

    @classmethod
    def read(cls, path: Path) -> "History":
        """Read a history file, or the one in a run's directory, line by line.

        Raises HarnessError with file and line number for a line that is no event.
        """
        return cls(events_in(file_of(path)))

    def of(self, *kinds: type[Kind]) -> tuple[Kind, ...]:
        """The events of these classes, in time order. Those of operations are not among them."""
        if Invoked in kinds or Completed in kinds:
            raise TypeError("what clients did is in History.operations")
        places = [found for cls, found in self._places.items() if issubclass(cls, kinds)]
        merged = places[0] if len(places) == 1 else sorted(itertools.chain.from_iterable(places))
        return cast(tuple[Kind, ...], tuple(map(self.events.__getitem__, merged)))

    def __bool__(self) -> bool:
        return bool(self.events) or len(self.operations) > 0


class Tail:
    """Follows a growing history file: each call gives the events that came since the last one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def new_events(self) -> list[Event]:
        """Complete lines since the last call, decoded; an unfinished last line is left for later."""
        with self._path.open("rb") as file:
            file.seek(self._offset)
            text = file.read()
        end = text.rfind(b"\n") + 1
        self._offset += end
        return list(decode_lines(text[:end].splitlines(keepends=True), str(self._path)))


def encode(event: Event) -> bytes:
    """One event as one line."""
    return _ENCODER.encode(event) + b"\n"


def file_of(path: Path) -> Path:
    """The history file that a path means: itself, or the one in a run's directory.

    Raises HarnessError when there is none.
    """
    file = path / FILE_NAME if path.is_dir() else path
    if not file.exists():
        raise HarnessError(f"{path} holds no history ({FILE_NAME} is missing)")
    return file


def events_in(file: Path) -> Iterator[Event]:
    """Every event of a history file, one after the other in the order in which they were written.

    Raises HarnessError with file and line number for a line that is no event.
    """
    with file.open("rb") as lines:
        yield from decode_lines(lines, str(file))


def decode_lines(lines: Iterable[bytes], origin: str) -> Iterator[Event]:
    """The events of a history's lines; a torn last line (no newline) is dropped."""
    decode = _decoder().decode
    for number, line in enumerate(lines, start=1):
        if not line.endswith(b"\n") or line == b"\n":
            continue
        try:
            event = decode(line)
        except (msgspec.MsgspecError, RecursionError) as error:
            _refuse_if_newer(line, origin)
            why = "it is nested too deeply" if isinstance(error, RecursionError) else f"{error!s:.200}"
            raise HarnessError(f"{origin}:{number}: not an event of this harness ({why})") from None
        if line.count(b"[") + line.count(b"{") > MAX_NESTING and nesting(msgspec.json.decode(line)) > MAX_NESTING:
            raise HarnessError(f"{origin}:{number}: nested too deeply; allowed: {MAX_NESTING} lists inside each other")
        if isinstance(event, RunStarted):
            _refuse_if_newer(line, origin)
        yield event


class _Head(msgspec.Struct):
    """What can be said of the first line of any history, whatever its format."""

    kind: str
    format: int = 1


def _refuse_if_newer(line: bytes, origin: str) -> None:
    """A newer harness may mean other things by what looks the same: its histories are not judged by this one."""
    with contextlib.suppress(msgspec.MsgspecError, RecursionError):
        head = msgspec.json.decode(line, type=_Head)
        if head.kind == RUN_STARTED and head.format > FORMAT:
            raise HarnessError(
                f"{origin}: recorded by a newer harness, in format {head.format}; this one reads up to format {FORMAT}"
            )


def nesting(value: object) -> int:
    """How many lists and maps are inside each other."""
    depth, level = 0, [value]
    while inner := [one for one in level if isinstance(one, list | tuple | dict)]:
        depth += 1
        level = [item for one in inner for item in (one.values() if isinstance(one, dict) else one)]
    return depth


@functools.cache
def _decoder() -> msgspec.json.Decoder[Event]:
    """For all kinds of events that there are by now: it checks the type of every field."""
    return msgspec.json.Decoder(Union[tuple(Event.__subclasses__())])  # noqa: UP007
