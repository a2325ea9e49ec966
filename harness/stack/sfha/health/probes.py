"""Looking whether something works: connect, ask over HTTP, run a command, ask systemd."""

import asyncio
import contextlib
import os
import shlex
import signal
from asyncio.subprocess import DEVNULL, PIPE
from typing import Protocol
from urllib.parse import urlsplit

MAX_HEAD_BYTES = 8192
LAST_WORDS_BYTES = 200
WORKING = range(200, 400)


class CheckLike(Protocol):
    """What a look needs to know."""

    @property
    def type(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def timeout_s(self) -> float: ...


async def look(check: CheckLike) -> str | None:
    """None when it works, else what is wrong with it. Takes the check's timeout at most (but for cleaning up)."""
    kinds = {"tcp": _tcp, "http": _http, "command": _command, "systemd": _systemd}
    try:
        return await asyncio.wait_for(kinds[check.type](check.target), check.timeout_s)
    except TimeoutError:
        return f"{check.target}: no answer within {check.timeout_s:g} s"
    except OSError as error:
        return f"{check.target}: {error.strerror or error}"


async def _tcp(target: str) -> str | None:
    host, _, port = target.rpartition(":")
    _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    await _close(writer)
    return None


async def _http(target: str) -> str | None:
    """One request; anything from 200 to 399 is well (RFC 9110, section 15). Redirections are not followed."""
    url = urlsplit(target)
    secure = url.scheme == "https"
    context = None
    if secure:
        import ssl  # only where it is needed: it takes as long to import as all the rest

        context = ssl.create_default_context()
    port = url.port or (443 if secure else 80)
    reader, writer = await asyncio.open_connection(url.hostname, port, ssl=context)
    try:
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        head = f"GET {path} HTTP/1.1\r\nHost: {url.netloc}\r\nConnection: close\r\nUser-Agent: sfha\r\n\r\n"
        writer.write(head.encode())
        await writer.drain()
        words = (await reader.readline())[:MAX_HEAD_BYTES].decode("latin-1").split()
    finally:
        await _close(writer)
    if len(words) < 2 or not words[0].startswith("HTTP/") or not words[1].isdigit():
        return f"{target}: the answer is not HTTP"
    return None if int(words[1]) in WORKING else f"{target}: answered {' '.join(words[1:])}"


async def _command(target: str) -> str | None:
    """Exit code 0 is well. Everything it started ends with it."""
    arguments = shlex.split(target)
    process = await asyncio.create_subprocess_exec(
        *arguments, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE, start_new_session=True
    )
    try:
        _, words = await process.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    if process.returncode == 0:
        return None
    last = words[-LAST_WORDS_BYTES:].decode(errors="replace").strip()
    return f"{target}: exit code {process.returncode}{': ' if last else ''}{last}"


async def _systemd(target: str) -> str | None:
    error = await _command(f"systemctl is-active --quiet {shlex.quote(target)}")
    return None if error is None else f"{target} is not active"


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
