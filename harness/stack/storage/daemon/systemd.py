"""What systemd is told by a service of Type=notify (sd_notify(3), sd_watchdog_enabled(3)); elsewhere nothing."""

import os
import socket
from collections.abc import Mapping


def tell(state: str, environment: Mapping[str, str] = os.environ) -> None:
    """Such as "READY=1". No error where nobody listens."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
        try:
            out.connect(f"\0{address[1:]}" if address.startswith("@") else address)
            out.send(state.encode())
        except OSError:
            return


def watchdog_every_s(environment: Mapping[str, str] = os.environ, pid: int | None = None) -> float | None:
    """How often it wants to hear that we are well (half of what it waits); None where it does not."""
    wanted = environment.get("WATCHDOG_USEC", "")
    meant = environment.get("WATCHDOG_PID", "")
    if not wanted.isdigit() or (meant and meant != str(os.getpid() if pid is None else pid)):
        return None
    return int(wanted) / 2e6
