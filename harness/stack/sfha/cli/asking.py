"""Asking the local daemon, with its refusals and silences as CommandFailed."""

import json
from typing import Any

from ...kit.messages import from_json, message
from ..control.client import CONTROL_PATH, TIMEOUT_S, DaemonUnreachable, ask
from .errors import CommandFailed


def call(command: str, *, timeout_s: float = TIMEOUT_S, **arguments: object) -> dict[str, Any]:
    """The daemon's answer. Raises CommandFailed when there is no daemon, or when it answers ``"ok": false``."""
    try:
        answer = json.loads(ask(command, arguments=arguments, timeout_s=timeout_s))
    except DaemonUnreachable as error:
        raise CommandFailed(error.why) from error
    except ValueError as error:
        raise CommandFailed(message("control.not-json", path=str(CONTROL_PATH))) from error
    if not isinstance(answer, dict):
        raise CommandFailed(message("control.not-json", path=str(CONTROL_PATH)))
    if answer.get("ok") is False:
        why = from_json(answer.get("error", ""))
        raise CommandFailed(message("control.refused", why=why))
    return answer
