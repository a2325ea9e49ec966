"""Where runs are stored: one directory a run, which belongs to nobody else.

A test may be run again in its session, two tests may have one name, a session's directory may be there already.
Two runs in one history would be judged as one: the time between their clusters would be an outage.
"""

import hashlib
import re
from pathlib import Path

from harness.errors import UsageError

LONGEST_NAME = 100
_DIGEST_DIGITS = 8
_ODD = re.compile(r"[^A-Za-z0-9._=+@,\[\]-]+")


def title_of(test: str) -> str:
    """What a reader calls a test that pytest names by this: its file without the folders, and its own name."""
    file, colons, name = test.partition("::")
    return f"{file.rpartition('/')[2]}{colons}{name}"


def directory_name(test: str) -> str:
    """A name for a test's directory: readable, one path component, and another one for another name of the test."""
    name = test.partition("::")[2].replace("::", ".") or test
    plain = _ODD.sub("-", name).lstrip(".-")[:LONGEST_NAME]
    if plain == name:
        return plain
    return f"{plain.rstrip('-')}-{hashlib.sha256(name.encode(errors='surrogatepass')).hexdigest()[:_DIGEST_DIGITS]}"


def claim(session: Path, test: str) -> Path:
    """A new directory for one run of a test; later runs of that name get a number. UsageError where none can be."""
    try:
        session.mkdir(parents=True, exist_ok=True)
        return _new_in(session, directory_name(test))
    except OSError as error:
        raise UsageError(f"runs cannot be stored in {session}: {error.strerror}") from None


def _new_in(session: Path, name: str) -> Path:
    number = 1
    while True:
        directory = session / (name if number == 1 else f"{name}-{number}")
        try:
            directory.mkdir()
        except FileExistsError:
            number += 1
        else:
            return directory
