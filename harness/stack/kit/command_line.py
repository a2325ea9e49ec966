"""What command lines have in common: a mistake is one line and a code, and a reader who leaves is no error."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from typing import NoReturn

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


class Parser(argparse.ArgumentParser):
    """Says usage errors in one line, with where to read on."""

    def error(self, message: str) -> NoReturn:
        """Say it and exit with 2."""
        program = self.prog.partition(" ")[0]
        sys.stderr.write(f"{program}: {message}\n(more: {self.prog} --help)\n")
        self.exit(USAGE)


def carried_out(
    program: str,
    work: Callable[[], int | None],
    errors: Mapping[type[Exception], int],
    *,
    system_errors: int = FAILED,
    interrupted: str = "interrupted",
) -> int:
    """The exit code of a command: 0 where ``work`` returns nothing.

    ``errors`` that it may raise are said, a line for each of theirs, and give these codes (their own, if they have a
    ``code``); so is what the system refuses. Anything else is a mistake of ours, and passes.
    """
    try:
        return work() or DONE
    except KeyboardInterrupt:
        return _say(program, interrupted, INTERRUPTED)
    except BrokenPipeError:
        # Whoever read has left; Python must not try to write the rest at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except tuple(errors) as error:
        code = next(code for kind, code in errors.items() if isinstance(error, kind))
        return _say(program, str(error), int(getattr(error, "code", code)))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _say(program, f"{where}{error.strerror or error}", system_errors)


def _say(program: str, why: str, code: int) -> int:
    sys.stderr.write("".join(f"{program}: {line}\n" for line in why.splitlines()))
    return code
