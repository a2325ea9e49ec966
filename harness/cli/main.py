"""The command ``harness``: its subcommands are loaded only when they are called."""

import contextlib
import errno
import importlib
import importlib.util
import io
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

import click

from harness import __version__
from harness.cli.groups import Named
from harness.errors import HarnessError

HARNESS_ERROR = 2
INTERRUPTED = 130
REFUSED = frozenset(
    {
        errno.EACCES,
        errno.EDQUOT,
        errno.EISDIR,
        errno.ELOOP,
        errno.ENAMETOOLONG,
        errno.ENOSPC,
        errno.ENOTDIR,
        errno.EPERM,
        errno.EROFS,
    }
)
"""What a file system says of a file that a person named, and can mend. That one is missing may be our own mistake."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a subcommand is (module and attribute), and its line in the help."""

    module: str
    attribute: str
    help: str


# Shown in this order. The help is written here so that showing it imports none of them.
COMMANDS = {
    "doctor": Entry("harness.cli.doctor", "doctor_command", "Say what this host can run and how to get the rest."),
    "image": Entry("harness.cli.image", "image_command", "Build, list and prune node images."),
    "engine": Entry("harness.cli.engine", "engine_command", "Install and run what the engines docker and lxd need."),
    "up": Entry("harness.cli.cluster", "up_command", "Start a cluster and leave it up."),
    "ps": Entry("harness.cli.cluster", "ps_command", "List the clusters that are up, and their nodes."),
    "exec": Entry("harness.cli.cluster", "exec_command", "Run a command inside a node."),
    "forward": Entry("harness.cli.forward", "forward_command", "Reach a port inside a node from this host."),
    "fault": Entry("harness.cli.fault", "fault_command", "Inject a fault into a cluster that is up, and heal it."),
    "chaos": Entry("harness.cli.chaos", "chaos_command", "Break a new cluster by a plan of faults, and judge it."),
    "replay": Entry("harness.cli.replay", "replay_command", "Perform the plan of a stored run again."),
    "shrink": Entry("harness.cli.shrink", "shrink_command", "Find the smallest plan that fails as a stored run did."),
    "coverage": Entry("harness.cli.coverage", "coverage_command", "Say what stored runs have covered."),
    "down": Entry("harness.cli.cluster", "down_command", "End a cluster that is up."),
    "new": Entry("harness.cli.new", "new_command", "Write a suite for a system of your own."),
    "judge": Entry("harness.cli.judge", "judge_command", "Judge a stored run again."),
    "bench": Entry("harness.cli.bench", "bench_command", "Measure the figures in docs/benchmarks.md."),
    "reap": Entry("harness.cli.reap", "reap_command", "Remove what dead runs left behind."),
}


class LazyGroup(Named):
    """A group whose subcommands are imported when they are called, and hidden while their module is not there."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the subcommands that this installation has."""
        return [name for name, entry in COMMANDS.items() if importlib.util.find_spec(entry.module)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The subcommand of that name; None when there is none."""
        entry = COMMANDS.get(cmd_name)
        if entry is None or importlib.util.find_spec(entry.module) is None:
            return None
        command: click.Command = getattr(importlib.import_module(entry.module), entry.attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of subcommands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].help) for name in self.list_commands(ctx)])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="harness")
def group() -> None:
    """Chaos and end-to-end tests for high-availability stacks."""


def main() -> None:
    """Run the command line.

    The exit code of a harness error, of wrong usage and of a bug is 2. It is never 1, which means "violated": a program
    that fell over must not say that.
    """
    for stream in _streams():
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    code = _code_of(_run)
    # Buffers are written here: at the interpreter's own end nobody could say what became of them.
    written = _code_of(_flush)
    if written:
        _give_up_writing()
    sys.exit(written or code)


def _run() -> int:
    output = sys.stdout
    try:
        code = group.main(standalone_mode=False)
    except SystemExit as error:
        # When a pipe is closed click puts something else in the place of the streams, and exits with 1.
        if sys.stdout is not output:
            sys.stdout, sys.stderr = output, sys.__stderr__
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)) from error
        raise
    return code if isinstance(code, int) else 0


def _flush() -> int:
    for stream in _streams():
        stream.flush()
    return 0


def _streams() -> list[TextIO]:
    """The streams that there are: a caller can have closed them."""
    return [stream for stream in (sys.__stdout__, sys.__stderr__) if stream is not None]


def _code_of(work: Callable[[], int]) -> int:
    """The exit code of some work, whatever becomes of it."""
    try:
        return work()
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else HARNESS_ERROR if error.code else 0
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except click.ClickException as error:
        _say("", error)
        return error.exit_code
    except HarnessError as error:
        _say(str(error))
        return HARNESS_ERROR
    except OSError as error:
        if error.errno in REFUSED and error.filename is not None:
            _say(f"{error.filename}: {error.strerror}")
            return HARNESS_ERROR
        return _unwritten(error) if error.errno in (errno.EPIPE, errno.ENOSPC) else _failed(error)
    except Exception as error:
        return _failed(error)


def _say(text: str, error: click.ClickException | None = None) -> None:
    """Say what is wrong, as far as there is somebody to say it to."""
    with contextlib.suppress(OSError):
        if error is not None:
            error.show()
        else:
            click.echo(f"harness: {text}", err=True)


def _unwritten(error: OSError) -> int:
    """A verdict that nobody saw is none. Whoever closed the pipe needs no message."""
    if error.errno != errno.EPIPE:
        _say(f"what this command says could not be written: {error.strerror}")
    _give_up_writing()
    return HARNESS_ERROR


def _give_up_writing() -> None:
    """What the streams still hold is lost; without this Python would try again at its end, and complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in _streams():
        try:
            stream.flush()
        except OSError:
            os.dup2(nowhere, stream.fileno())
            with contextlib.suppress(OSError):
                stream.flush()


def _failed(error: Exception) -> int:
    """A bug of the harness itself: one line, and the details in a file."""
    what = f"{type(error).__name__}: {error!s:.200}".splitlines()[0]
    try:
        descriptor, place = tempfile.mkstemp(prefix="harness-bug-", suffix=".txt")
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write("".join(traceback.format_exception(error)))
    except OSError as unwritable:
        place = f"nowhere ({unwritable.strerror})"
    _say(f"this is a bug of the harness itself: {what}; details: {place}")
    return HARNESS_ERROR


if __name__ == "__main__":
    main()
