"""The manual page sfha(8), made from the parser and the catalogue, so that it says what `--help` says.

`python3 -m sfha.cli.manual LANGUAGE VERSION DATE` prints it, when the package is built.
"""

import argparse
import sys
from collections.abc import Iterator

from ...kit.messages import Language, language_of
from ...kit.speech import choose, chosen, text
from .main import ALL, parser_with

FILES = (
    ("/etc/sfha/config.yml", "manual.file.config"),
    ("/etc/sfha/mesh.json", "manual.file.mesh"),
    ("/etc/corosync/authkey", "manual.file.authkey"),
    ("/etc/corosync/corosync.conf", "manual.file.corosync"),
    ("/var/log/sfha.log", "manual.file.log"),
    ("/run/sfha/", "manual.file.run"),
    ("/var/lib/sfha/", "manual.file.state"),
)
SIGNALS = ("TERM", "HUP", "USR1", "USR2")
EXIT_CODES = ("0", "1", "2", "3")


def manual_page(language: Language, version: str, date: str) -> str:
    """The page in roff(7). ``date`` is "YYYY-MM-DD"."""
    before = chosen()
    choose(language)
    try:
        return "\n".join(_lines(parser_with(ALL), version, date)) + "\n"
    finally:
        choose(before)


def _lines(parser: argparse.ArgumentParser, version: str, date: str) -> Iterator[str]:
    yield f'.TH SFHA 8 "{date}" "sfha {version}"'
    yield f".SH {_roff(text('manual.name'))}"
    yield f"sfha \\- {_roff(text('manual.summary'))}"
    yield f".SH {_roff(text('manual.synopsis'))}"
    yield f".B sfha\n[\\-\\-lang en|fr] [\\-\\-verbose] \\fI{_roff(text('word.command'))}\\fR ..."
    yield f".SH {_roff(text('manual.description'))}"
    yield _roff(text("manual.about"))
    yield f".SH {_roff(text('manual.commands'))}"
    for words, command in _commands(parser, "sfha"):
        yield from _command(words, command)
    yield f".SH {_roff(text('manual.signals'))}"
    for signal in SIGNALS:
        yield f".TP\n.B {signal}\n{_roff(text(f'manual.signal.{signal}'))}"
    yield f".SH {_roff(text('manual.exit'))}"
    for code in EXIT_CODES:
        yield f".TP\n.B {code}\n{_roff(text(f'manual.exit.{code}'))}"
    yield f".SH {_roff(text('manual.files'))}"
    for path, key in FILES:
        yield f".TP\n.I {path}\n{_roff(text(key))}"
    yield f".SH {_roff(text('manual.see'))}"
    yield ".BR corosync.conf (5),\n.BR corosync\\-quorumtool (8),\n.BR wg (8)"


def _commands(parser: argparse.ArgumentParser, words: str) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command that does something, in the order of `--help`."""
    inner = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not inner:
        yield words, parser
    for action in inner:
        for name, one in action.choices.items():
            yield from _commands(one, f"{words} {name}")


def _command(words: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    usage = " ".join(parser.format_usage().split(": ", 1)[-1].split())
    yield f".SS {_roff(words)}"
    yield f".nf\n.B {_roff(usage)}\n.fi\n.PP"
    yield _roff(parser.description or "")
    for action in parser._actions:
        if action.help in (None, argparse.SUPPRESS) or "--help" in action.option_strings:
            continue
        names = ", ".join(action.option_strings) or str(action.metavar or action.dest)
        if action.option_strings and action.nargs != 0:
            names += f" {action.metavar or '|'.join(map(str, action.choices or ())) or action.dest.upper()}"
        yield f".TP\n.B {_roff(names)}\n{_roff(str(action.help).replace('%%', '%'))}"
    if parser.epilog:
        yield f".PP\n.nf\n{_roff(parser.epilog)}\n.fi"


def _roff(words: str) -> str:
    """Text for roff: nothing in it is a request or an escape."""
    escaped = words.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return "\n".join(f"\\&{line}" if line.startswith(".") else line for line in escaped.splitlines())


if __name__ == "__main__":
    asked, version, date = sys.argv[1:]
    sys.stdout.write(manual_page(language_of(asked, {}), version, date))
