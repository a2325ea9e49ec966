"""Stories in text files: commands to a pure core, and beneath each what it did. Idea: the tests of etcd's raft.

A file is read as a page about the core and run as a test. A command stands in a line of its own, with what came of it
indented beneath; lines that begin with ``#`` tell the story, and empty lines part it:

    # Nobody has asked for anything yet.
    believe all n1
        n1: kernel, arm

After a change that is meant, ``HARNESS_REWRITE=1 pytest ...`` writes down what happens now; look at the difference.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

INDENT = "    "

Teller = Callable[[str, list[str]], list[str]]
"""Carries out one command (its first word, and the others) and tells line by line what came of it."""


class CannotRead(Exception):
    """A command is not one; the message says which line of which file, and why."""


def stories(directory: Path) -> list[Path]:
    """The files of a directory, for pytest's parameters. There has to be one at least."""
    found = sorted(directory.glob("*.txt"))
    assert found, f"no stories in {directory}"
    return found


def as_it_happens(path: Path, tell: Teller) -> str:
    """The file as it would be if everything in it were what happens now. Raises CannotRead."""
    lines = list(_retold(path, path.read_text(encoding="utf-8").splitlines(), tell))
    return "\n".join(lines) + "\n"


def check(path: Path, tell: Teller) -> None:
    """Fails where a file says something else than what happens; where asked to, writes that down instead."""
    happens = as_it_happens(path, tell)
    if os.environ.get("HARNESS_REWRITE"):
        path.write_text(happens, encoding="utf-8")
    assert path.read_text(encoding="utf-8").splitlines() == happens.splitlines(), (
        f"{path.name} tells another story; HARNESS_REWRITE=1 writes down what happens now"
    )


def carry_out(story: object, command: str, words: list[str]) -> object:
    """Call the method of a story that is named like a command: ``do_give_up`` for ``give-up``. Raises ValueError."""
    commands = {name.removeprefix("do_").replace("_", "-"): name for name in dir(story) if name.startswith("do_")}
    if command not in commands:
        raise ValueError(f"no such command; there are {', '.join(commands)}")
    return getattr(story, commands[command])(*words)


def _retold(path: Path, lines: list[str], tell: Teller) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        if line.startswith(INDENT):
            continue
        yield line.rstrip()
        words = line.split()
        if not words or line.startswith("#"):
            continue
        try:
            came = tell(words[0], words[1:])
        except (LookupError, TypeError, ValueError) as error:
            raise CannotRead(f"{path.name}:{number}: {line}: {error}") from error
        yield from (f"{INDENT}{one}" for one in came)
