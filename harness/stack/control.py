"""The control socket: one JSON line asks, one JSON line answers."""

import json
import socket
from pathlib import Path

CONTROL_PATH = Path("/run/sfha/control.sock")
TIMEOUT_S = 5.0
MAX_ANSWER_BYTES = 1 << 20


class DaemonUnreachable(Exception):
    """No daemon answers on the control socket; the message says what to do."""


def ask(command: str, path: Path = CONTROL_PATH) -> str:
    """Send a command to the local daemon and return its answer, one JSON document. Raises DaemonUnreachable."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(TIMEOUT_S)
        try:
            link.connect(str(path))
            link.sendall(json.dumps({"command": command}).encode() + b"\n")
            answer = b""
            while not answer.endswith(b"\n") and len(answer) < MAX_ANSWER_BYTES:
                part = link.recv(65536)
                if not part:
                    break
                answer += part
        except TimeoutError as error:
            raise DaemonUnreachable(f"the daemon hangs: no answer on {path} within {TIMEOUT_S:g} s") from error
        except OSError as error:
            reason = error.strerror or error
            raise DaemonUnreachable(f"no daemon on {path} ({reason}); start it with `sfha run`") from error
    return answer.decode()
