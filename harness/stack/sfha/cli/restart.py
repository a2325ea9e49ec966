"""`sfha restart`: the daemon alone, after an update of its program. Corosync and the mesh are not touched."""

import argparse
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ...kit.messages import message
from ..logs.event_log import LOG_PATH
from .asking import call
from .errors import CommandFailed
from .frame import add_command

if TYPE_CHECKING:
    from ..admin.daemon_start import Started
    from .frame import Subparsers

SYSTEMD = Path("/run/systemd/system")
PATIENCE_S = 10.0
LOOK_EVERY_S = 0.05


def register(subparsers: "Subparsers") -> None:
    """Add the command."""
    add_command(subparsers, "restart", _restart, data=True)


def _restart(options: argparse.Namespace) -> None:
    from ..admin.daemon_start import began_now, said_since

    before, began = call("life")["life"], began_now()
    if SYSTEMD.exists():
        done = subprocess.run(["systemctl", "restart", "sfha.service"], capture_output=True, text=True, check=False)
        if done.returncode:
            raise CommandFailed(message("restart.unit", why=done.stderr.strip()))
    else:
        call("restart")
    deadline_s = time.monotonic() + PATIENCE_S
    while _life() in (None, before):
        reason = _logged_reason(began)
        if reason and not SYSTEMD.exists():  # which tries again
            raise CommandFailed(message("restart.failed", said=reason))
        if time.monotonic() > deadline_s:
            reason = reason or said_since(began)
            raise CommandFailed(message("restart.late", seconds=PATIENCE_S, said=f" ({reason})" if reason else ""))
        time.sleep(LOOK_EVERY_S)
    options.output.done("restart.done")
    options.output.document({"ok": True})


def _logged_reason(began: "Started") -> str:
    """Why the daemon did not start, as it wrote into its log; "" where it wrote nothing of the kind."""
    from ..admin.daemon_start import text_since
    from ..logs.core import parse_line

    records = map(parse_line, text_since(LOG_PATH, began.log_bytes).splitlines())
    reasons = [record.fields.get("why", "") for record in records if record and record.event == "start-failed"]
    return str(reasons[-1]) if reasons else ""


def _life() -> object:
    """What tells one life of the daemon from the next; None while none answers."""
    try:
        return call("life", timeout_s=1.0)["life"]
    except CommandFailed:
        return None
