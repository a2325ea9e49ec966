"""Running one command to its end: its output, its exit code, and nothing of it left when it takes too long."""

import asyncio
import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from harness.engines.attendant import kill_all_of
from harness.engines.cgroup import Cgroup
from harness.engines.engine import Finished
from harness.engines.enter import UMASK
from harness.errors import EngineError

_CHUNK_BYTES = 1 << 16
_DYING_S = 2.0


async def run_command(
    line: Sequence[str],
    variables: Mapping[str, str],
    *,
    stdin: bytes,
    timeout_s: float,
    group: Cgroup,
    what: str,
    owner: tuple[int, int],
) -> Finished:
    """Run a command line and wait for it, not for what it may have left running in the background.

    Its streams belong to ``owner`` (user and group): who they do not belong to cannot open /dev/stderr and the like.

    Raises EngineError, naming ``what``, after ``timeout_s`` seconds; the command and all its descendants in
    ``group`` have been killed then.
    """
    with _file_with(stdin, owner) as source, _Collector(owner) as stdout, _Collector(owner) as stderr:
        process = await asyncio.create_subprocess_exec(
            *line,
            stdin=source,
            stdout=stdout.write_end,
            stderr=stderr.write_end,
            env=variables,
            start_new_session=True,
            umask=UMASK,
        )
        stdout.begin()
        stderr.begin()
        try:
            code = await asyncio.wait_for(process.wait(), timeout_s)
        except TimeoutError:
            raise EngineError(f"{what} did not end within {timeout_s:g} s") from None
        finally:
            if process.returncode is None:
                await _kill(process, group)
        return Finished(code if code >= 0 else 128 - code, stdout.result(), stderr.result())


@contextmanager
def _file_with(content: bytes, owner: tuple[int, int]) -> Iterator[int]:
    # A file rather than a pipe: a command that does not read its input cannot block us, whatever its size.
    descriptor = os.memfd_create("stdin")
    try:
        with open(descriptor, "wb", closefd=False) as stream:
            stream.write(content)
        os.fchown(descriptor, *owner)
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)


class _Collector:
    """Reads a pipe as it fills. The process's end is enough: a daemon that keeps the pipe open is not waited for."""

    def __init__(self, owner: tuple[int, int]) -> None:
        self._read_end, self.write_end = os.pipe2(os.O_CLOEXEC)
        os.fchown(self.write_end, *owner)
        os.set_blocking(self._read_end, False)
        self._chunks: list[bytes] = []
        self._began = False

    def __enter__(self) -> "_Collector":
        return self

    def begin(self) -> None:
        """The process has its end now; close ours and read."""
        os.close(self.write_end)
        self._began = True
        asyncio.get_running_loop().add_reader(self._read_end, self._read)

    def _read(self) -> bool:
        try:
            chunk = os.read(self._read_end, _CHUNK_BYTES)
        except BlockingIOError:
            return False
        if chunk:
            self._chunks.append(chunk)
        else:
            asyncio.get_running_loop().remove_reader(self._read_end)
        return bool(chunk)

    def result(self) -> bytes:
        """Everything written so far."""
        while self._read():
            pass
        return b"".join(self._chunks)

    def __exit__(self, *_: object) -> None:
        if self._began:
            asyncio.get_running_loop().remove_reader(self._read_end)
        else:
            os.close(self.write_end)
        os.close(self._read_end)


async def _kill(process: asyncio.subprocess.Process, group: Cgroup) -> None:
    kill_all_of(process.pid, process.pid, group)
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    if not group.freezing():  # what is frozen dies when thawed, or with its node
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _DYING_S)
