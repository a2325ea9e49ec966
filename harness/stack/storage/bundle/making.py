"""Makes the file: every part scrubbed and bounded, and a list of what is in it and what could not be had."""

import contextlib
import io
import json
import os
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

from .. import VERSION
from .core.scrubbing import LEFT_OUT, Scrubber
from .parts import Wanted, parts, secrets_of

PART_S = 40.0
"""How long a part may take: a file system that hangs must not keep the others back."""
MOST_BYTES = 4 << 20
"""Of one part; of longer ones the end is kept, which is the newest."""


class BundleError(Exception):
    """It cannot be made; the message says why."""


def make(file: Path, wanted: Wanted, most_bytes: int = MOST_BYTES) -> dict[str, object]:
    """What is in it. Raises BundleError where the file is there already, OSError."""
    if file.exists():
        raise BundleError(f"{file} is there already: name another file")
    scrub = Scrubber(secrets_of(wanted))
    began_s, listed, fresh = time.time(), [], file.with_name(f".{file.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as raw, tarfile.open(fileobj=raw, mode="w:gz") as bundle:
            for name, text_of in parts(wanted).items():
                text, error = _within(text_of, PART_S)
                content = scrub(_tail(text, 4 * most_bytes) if not error else f"it could not be had: {error}\n").encode(
                    errors="replace"
                )
                # Scrubbed before it is cut: half of a secret would be known by nobody.
                listed.append(
                    {"name": name, "bytes": len(content), "cut": len(content) > most_bytes, "error": scrub(error)}
                )
                _add(bundle, name, content[-most_bytes:], began_s)
            contents = {"version": VERSION, "made_at_s": began_s, "left_out": LEFT_OUT, "parts": listed}
            _add(bundle, "contents.json", json.dumps(contents, indent=1).encode(), began_s)
        os.link(fresh, file)
    except FileExistsError:
        raise BundleError(f"{file} is there already: name another file") from None
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink()
    return contents


def _within(text_of: Callable[[], str], within_s: float) -> tuple[str, str]:
    """The text, or why there is none."""
    answer: SimpleQueue[tuple[str, str]] = SimpleQueue()

    def work() -> None:
        try:
            answer.put((text_of(), ""))
        except Exception as error:  # whatever it is: the other parts are wanted all the more
            answer.put(("", f"{type(error).__name__}: {error}"))

    Thread(target=work, daemon=True).start()
    try:
        return answer.get(timeout=within_s)
    except Empty:
        return "", f"no answer within {within_s:g} s"


def _tail(text: str, most: int) -> str:
    """Whole lines from the end."""
    return text if len(text) <= most else text[-most:].partition("\n")[2]


def _add(bundle: tarfile.TarFile, name: str, content: bytes, at_s: float) -> None:
    one = tarfile.TarInfo(f"mfs-autonomy-bundle/{name}")
    one.size, one.mtime, one.mode = len(content), int(at_s), 0o600
    bundle.addfile(one, io.BytesIO(content))
