"""The control socket: one JSON line asks, one JSON line answers."""

import json
import socket
from collections.abc import Mapping
from pathlib import Path

from ...kit.messages import Message, message

CONTROL_PATH = Path("/run/sfha/control.sock")
TIMEOUT_S = 5.0
MAX_ANSWER_BYTES = 1 << 20


class DaemonUnreachable(Exception):
    """No daemon answers on the control socket; the message says what to do."""

    def __init__(self, why: Message) -> None:
        super().__init__(why)
        self.why = why


def ask(
    command: str,
    path: Path = CONTROL_PATH,
    *,
    arguments: Mapping[str, object] | None = None,
    timeout_s: float = TIMEOUT_S,
) -> str:
    """Send a command with its arguments to the local daemon and return its answer, one JSON document.

    Raises DaemonUnreachable.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(timeout_s)
        try:
            link.connect(str(path))
            link.sendall(json.dumps({**(arguments or {}), "command": command}).encode() + b"\n")
            answer = b""
            while not answer.endswith(b"\n") and len(answer) < MAX_ANSWER_BYTES:
                part = link.recv(65536)
                if not part:
                    break
                answer += part
        except TimeoutError as error:
            raise DaemonUnreachable(message("control.hangs", path=str(path), seconds=timeout_s)) from error
        except OSError as error:
            reason = error.strerror or str(error)
            raise DaemonUnreachable(message("control.absent", path=str(path), reason=reason)) from error
    return answer.decode()
