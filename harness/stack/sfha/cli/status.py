"""`sfha status [--json]`: what the local daemon knows. Asking changes nothing."""

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ...kit.messages import from_json, message
from ...kit.speech import said, text
from .asking import call
from .errors import CommandFailed
from .frame import add_command

if TYPE_CHECKING:
    from .frame import Subparsers
    from .output import Output, Style

Facts = dict[str, Any]
SHOWN = {"vips", "nodes", "peers"}
"""Lists that have a table of their own; any other list of the answer is shown as it comes."""
BLOCKED_FOR_LONG_MS = 50.0
"""A lease lasts three times as long."""


def register(subparsers: "Subparsers") -> None:
    """Add the command."""
    add_command(subparsers, "status", _status, data=True)


def _status(options: argparse.Namespace) -> None:
    output: Output = options.output
    try:
        status = call("status")
    except CommandFailed as error:
        _without_daemon(output)
        raise error from error.__cause__
    output.document(status)
    if output.as_json:
        return
    _summary(output, status)
    _nodes(output, status)
    _vips(output, status)
    for name, rows in status.items():
        if name not in SHOWN and isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows):
            show_rows(output, name, rows)
    _fencing(output, status.get("stonith"))
    _warnings(output, status)


def _summary(output: "Output", status: Facts) -> None:
    online = sum(bool(node["online"]) for node in status["nodes"])
    quorum = text("status.quorum", online=online, total=len(status["nodes"]))
    quorum = f"{_yes_no(output, status['quorate'])}, {quorum}"
    leader = status["leader_name"] or output.paint(text("word.none"), "red")
    if status["leader"] == status["node_id"]:
        leader += f" ({text('status.this-node')})"
    own = text("status.standby") if status["standby"] else text("status.ready" if status["ready"] else "status.waiting")
    output.line(output.paint(text("status.title", cluster=status["cluster"], node=status["node"]), "bold"))
    output.table(
        [
            [text("status.word.quorum"), quorum],
            [text("status.word.leader"), leader],
            [text("status.word.node"), own],
            [text("status.word.lease"), text(f"status.lease.{status['lease']}")],
        ]
    )


def _nodes(output: "Output", status: Facts) -> None:
    _title(output, "nodes")
    rows = []
    for node in status["nodes"]:
        roles = [text("status.role.leader")] if node["leader"] else []
        roles += [text("status.role.standby")] if node["standby"] else []
        roles += [text("status.role.lacks", count=node["lacks"])] if node.get("lacks") else []
        roles += [text("status.role.reluctant", why=why) for why in _reluctant(node)]
        rows.append(
            [
                node["name"],
                str(node["node_id"]),
                _state(output, node["online"], "status.online", "status.offline"),
                _state(output, node["sfhaRunning"], "status.running", "status.dead"),
                ", ".join(roles),
            ]
        )
    output.table(rows, [text(f"status.head.{word}") for word in ("name", "id", "corosync", "sfha", "role")])


def _vips(output: "Output", status: Facts) -> None:
    if not status["vips"]:
        return
    _title(output, "vips")
    rows = []
    for vip in status["vips"]:
        where = text("status.vip.here") if vip["held"] else ""
        if not where and status["leader_name"] and status["leader"] != status["node_id"]:
            where = text("status.vip.leader", name=status["leader_name"])
        state = output.paint(where, "green") if where else output.paint(text("status.vip.nowhere"), "yellow")
        if vip["error"]:
            state = output.paint(str(vip["error"]), "red")
        if vip.get("lacks"):
            plain = where or text("status.vip.nowhere")
            why = text("status.vip.lacks", state=plain, why=from_json(vip["lacks"]))
            state = output.paint(why, "yellow" if where else "red")
        rows.append([vip["name"], vip["address"], vip["interface"], state, _set_of(vip)])
    heads = [text(f"status.head.{word}") for word in ("name", "address", "interface", "state", "settings")]
    width = len(heads) if any(row[-1] for row in rows) else len(heads) - 1
    output.table([row[:width] for row in rows], heads[:width])


def _set_of(vip: Facts) -> str:
    """The settings that are not as they are by themselves."""
    from ..config.vip_settings import USUAL

    usual = asdict(USUAL)
    found = vip.get("settings", {})
    return ", ".join(f"{name}={value}" for name, value in found.items() if value != usual.get(name))


def show_rows(output: "Output", name: str, rows: list[Facts]) -> None:
    """A list of like things as a table: a column for each fact."""
    _title(output, name)
    heads = list(dict.fromkeys(key for row in rows for key in row))
    output.table([[_cell(output, row.get(key)) for key in heads] for row in rows], heads)


def _fencing(output: "Output", stonith: Facts | None) -> None:
    if not stonith:
        return
    from .stonith import show_fencing

    _title(output, "stonith")
    show_fencing(output, stonith)


def _warnings(output: "Output", status: Facts) -> None:
    for node in status["nodes"]:
        if node["online"] and not node["sfhaRunning"]:
            output.warn(message("status.warn.daemon-dead", name=node["name"]))
        if node.get("lacks") and node["name"] != status["node"]:
            output.warn(message("status.warn.lacks", name=node["name"], count=node["lacks"]))
        for why in _reluctant(node):
            output.warn(message("status.warn.reluctant", name=node["name"], why=why))
    if status.get("log_error"):
        output.warn(message("status.warn.log", reason=status["log_error"]))
    _corosync(output, status)
    for name in status["broken_on_purpose"]:
        output.warn(message("status.warn.broken", name=name))
    _older(output, status)
    loop = status.get("loop") or {}
    if loop.get("longest_blocked_ms", 0.0) > BLOCKED_FOR_LONG_MS:
        blocked_ms, name = loop["longest_blocked_ms"], loop["longest_callback"]
        output.warn(message("status.warn.loop", blocked_ms=blocked_ms, name=name))
    if status["gate_egress"] is False:
        output.warn(message("status.warn.egress"))


def _corosync(output: "Output", status: Facts) -> None:
    from ..membership.taking_up import complaint

    behind = complaint(status.get("corosync_behind"))
    if behind is not None:
        output.warn(behind)
    if not status["quorate"]:
        output.warn(message("status.warn.no-quorum"))


def _reluctant(node: Facts) -> list[str]:
    """Why it would rather not lead; a newer daemon there may have reasons that have no sentence here."""
    from ...kit.messages import texts

    keys = {name: f"reluctant.{name}" for name in node.get("reluctant", ())}
    return [text(key) if key in texts() else name for name, key in keys.items()]


def _older(output: "Output", status: Facts) -> None:
    unsealed = status.get("unsealed", ())
    for name in unsealed:
        output.warn(message("status.warn.unsealed", name=name))
    for name in status.get("unpaired", ()):
        if name not in unsealed:
            output.warn(message("status.warn.unpaired", name=name))


def _without_daemon(output: "Output") -> None:
    """The daemon is silent; what Corosync knows is said all the same, so that the two are not taken for one."""
    from ..membership.core import DISCONNECTED, Report
    from ..membership.quorum import QuorumConnection, QuorumError

    reports: list[Report] = [DISCONNECTED]
    try:
        connection = QuorumConnection(reports.append)
        connection.dispatch()
        connection.close()
    except (QuorumError, OSError):
        output.warn(message("status.corosync-silent"))
        return
    report = reports[-1]
    members = ", ".join(map(str, sorted(report.members)))
    quorate = text("word.yes" if report.quorate else "word.no")
    output.warn(message("status.corosync-alone", quorate=quorate, members=members))


def _title(output: "Output", name: str) -> None:
    output.line()
    key = f"status.title.{name}"
    output.line(output.paint(text(key) if key in _titles() else name.replace("_", " ").capitalize(), "bold"))


def _titles() -> set[str]:
    from ...kit.messages import texts

    return {key for key in texts() if key.startswith("status.title.")}


def _state(output: "Output", good: bool, yes: str, no: str) -> str:
    style: Style = "green" if good else "red"
    return output.paint(text(yes if good else no), style)


def _yes_no(output: "Output", value: bool) -> str:
    return _state(output, value, "word.yes", "word.no")


def _cell(output: "Output", value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return _yes_no(output, value)
        case list():
            return ", ".join(_cell(output, one) for one in value) or "-"
        case {"key": str(), "values": dict()}:
            return said(from_json(value))
        case dict():
            return ", ".join(f"{key}={_cell(output, one)}" for key, one in value.items()) or "-"
        case float():
            return f"{value:g}"
    return str(value)
