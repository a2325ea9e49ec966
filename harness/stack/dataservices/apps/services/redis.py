"""As much of Redis's protocol (RESP) as single commands need."""

import socket


class Refused(Exception):
    """It says no."""


def said(host: str, port: int, password: str, *words: str, within_s: float) -> str:
    """The answer to one command, over a connection of its own. Raises OSError, Refused."""
    with socket.create_connection((host, port), within_s) as connection:
        connection.settimeout(within_s)
        with connection.makefile("rb") as stream:
            connection.sendall(_command("AUTH", password) + _command(*words))
            first = stream.readline()
            if not first.startswith(b"+"):
                raise Refused(first.decode(errors="replace").strip() or "the connection ended")
            answer = stream.readline().decode(errors="replace").strip()
    if not answer or answer.startswith("-"):
        raise Refused(answer or "the connection ended")
    return answer[1:]


def _command(*words: str) -> bytes:
    parts = [f"*{len(words)}\r\n", *(f"${len(word.encode())}\r\n{word}\r\n" for word in words)]
    return "".join(parts).encode()
