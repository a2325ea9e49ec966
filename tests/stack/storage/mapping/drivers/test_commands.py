"""Programs of drivers: who is told to end has let go of everything when that is said."""

import subprocess
import sys
from pathlib import Path

import pytest

from harness.stack.storage.mapping.drivers import commands
from harness.stack.storage.mapping.drivers.commands import command_line, end
from harness.stack.storage.mapping.ports import PortFailed
from harness.stack.storage.open_files import writers_of

# Much memory to give back takes a while, and comes before the files.
HOLDS = """
import sys
file, kept = open(sys.argv[1], "wb"), bytearray(b"x" * 300_000_000)
print("ready", flush=True)
input()
"""


def holding(file: Path, program: str = HOLDS) -> "subprocess.Popen[bytes]":
    """A process that has the file open for writing."""
    pipe = subprocess.PIPE
    process = subprocess.Popen([sys.executable, "-c", program, str(file)], stdin=pipe, stdout=pipe)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def test_who_was_ended_has_nothing_open(tmp_path: Path) -> None:
    file = tmp_path / "volume"
    for _ in range(5):
        with holding(file) as process:
            assert writers_of(file)
            end(process.pid, "its end")
            assert writers_of(file) == []
        assert command_line(process.pid) == []
        end(process.pid, "its end")


def test_who_does_not_end_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands.until, "__defaults__", (0.1,))
    deaf = f"import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n{HOLDS}"
    with holding(tmp_path / "volume", deaf) as process:
        with pytest.raises(PortFailed, match="its end: not within"):
            end(process.pid, "its end")
        process.kill()
