"""The program of the edge: where it is, and what it says of a configuration before anything is changed."""

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..routing.core import canonical
from .admin import EdgeError, EdgeRefused

VALIDATE_S = 20.0


def caddy() -> str | None:
    """The path of Caddy: the one beside this Python, else the one in PATH; None if there is none."""
    beside = Path(sys.executable).parent / "caddy"
    return str(beside) if os.access(beside, os.X_OK) else shutil.which("caddy")


async def validate(program: str, document: Mapping[str, Any]) -> None:
    """Ask Caddy whether it could load this; it makes all ready, and starts nothing. Raises EdgeError, EdgeRefused."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        file.write(canonical(document))
        file.flush()
        try:
            process = await asyncio.create_subprocess_exec(
                program, "validate", "--config", file.name,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
        except OSError as error:
            raise EdgeError(f"{program}: {error.strerror}") from error
        try:
            async with asyncio.timeout(VALIDATE_S):
                _, said = await process.communicate()
        except BaseException:
            process.kill()
            await process.wait()
            raise
    if process.returncode != 0:
        raise EdgeRefused(_why(said.decode(errors="replace")))


def _why(said: str) -> str:
    """Its last line: an entry of its log, or, by its own settings, plain words."""
    last = (said.strip().splitlines() or ["it does not say why"])[-1]
    try:
        return str(json.loads(last)["msg"])
    except (ValueError, KeyError, TypeError):
        return last.removeprefix("Error: ")
