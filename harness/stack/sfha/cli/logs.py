"""`sfha logs`: what the daemon did, in words."""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ...kit.messages import message
from ...kit.speech import chosen, text
from ..logs.event_log import LOG_PATH
from .errors import USAGE, CommandFailed
from .frame import add_command

if TYPE_CHECKING:
    from ..logs.core import Record
    from .frame import Subparsers

LAST = 50
"""Records that are shown when neither a number nor a time is asked for."""


def register(subparsers: "Subparsers") -> None:
    """Add the command."""
    parser = add_command(subparsers, "logs", _logs)
    parser.add_argument("-f", "--follow", action="store_true", help=text("help.logs.follow"))
    parser.add_argument("-n", "--lines", type=int, metavar="N", help=text("help.logs.lines", number=LAST))
    parser.add_argument("--since", metavar="TIME", help=text("help.logs.since"))
    parser.add_argument("-o", "--output", dest="format", choices=("text", "cat", "json"), default="text",
                        help=text("help.logs.output"))  # fmt: skip
    parser.add_argument("--file", type=Path, help=text("help.logs.file", path=str(LOG_PATH)))


def _logs(options: argparse.Namespace) -> None:
    from ..logs.core import parse_since

    last = options.lines
    if last is not None and last < 0:
        raise CommandFailed(message("logs.negative"), USAGE)
    since_s = None
    if options.since is not None:
        try:
            since_s = parse_since(options.since, time.time(), None)
        except ValueError as error:
            raise CommandFailed(message("logs.since", given=options.since), USAGE) from error
    elif last is None:
        last = LAST
    try:
        for record in _records(options.file, last, since_s, options.follow):
            _show(options, record)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        reason = error.strerror or str(error)
        raise CommandFailed(message("logs.unreadable", path=str(options.file or LOG_PATH), reason=reason)) from error


def _records(file: Path | None, last: int | None, since_s: float | None, follow: bool) -> "Iterator[Record]":
    from ..logs.sources import has_journal, read_file, read_journal

    if file is None and has_journal():
        return read_journal(last, since_s, follow)
    return read_file(file or LOG_PATH, last, since_s, follow)


def _show(options: argparse.Namespace, record: "Record") -> None:
    from ..logs.core import sentence, time_of

    output = options.output
    if options.format == "json":
        output.line(record.line)
        return
    words = sentence(record, chosen())
    if record.bad:
        words = output.paint(words, "yellow")
    if options.format == "text":
        words = f"{output.paint(time_of(record, None), 'dim')} {record.node}  {words}"
    output.line(words)
