"""The history of one run while its cluster writes it: begun once, in a directory that has no other history."""

from pathlib import Path

from harness.errors import HarnessError, UsageError
from harness.events import Event, RunStarted
from harness.history import FILE_NAME, Recorder, Tail


class Recording:
    """Opened by ``begin`` (of a new run) or ``go_on`` (of one that another process began), until ``close``."""

    def __init__(self, run_directory: Path) -> None:
        self.path = run_directory / FILE_NAME
        self._recorder: Recorder | None = None
        self._tail = Tail(self.path)

    @property
    def is_open(self) -> bool:
        """Whether anything can be recorded."""
        return self._recorder is not None

    def begin(self, started: RunStarted) -> Recorder:
        """Begin a new history. UsageError when the directory has one already: two in one would be judged as one."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch(exist_ok=False)
        except FileExistsError:
            raise UsageError(f"{self.path.parent} has the history of another run: name another directory") from None
        except OSError as error:
            raise HarnessError(f"{self.path.parent}: {error.strerror}: the run cannot be recorded") from error
        recorder = self.go_on()
        recorder.record(started)
        return recorder

    def go_on(self) -> Recorder:
        """Append to the history that is there, if there is one."""
        self._recorder = Recorder(self.path)
        return self._recorder

    def record(self, event: Event) -> None:
        """Append an event. UsageError when the cluster is not running, or not any more."""
        if self._recorder is None:
            raise UsageError("the cluster is not running")
        self._recorder.record(event)

    def new_events(self) -> list[Event]:
        """What anybody has recorded since the last call."""
        return self._tail.new_events()

    def close(self) -> None:
        """Record nothing any more. Idempotent."""
        if self._recorder is not None:
            recorder, self._recorder = self._recorder, None
            recorder.close()
