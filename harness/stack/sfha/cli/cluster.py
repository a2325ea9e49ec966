"""`sfha init`, `token`, `join`, `leave` and `propagate`: the cluster as a whole."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...kit.messages import Message, from_json, message
from ...kit.speech import said, text
from .asking import call
from .errors import DONE, PARTIAL, USAGE, CommandFailed
from .frame import add_command
from .stonith import add_provider_options, section_of, with_section, write_section

if TYPE_CHECKING:
    from ..config.load import Mesh
    from .frame import Subparsers
    from .output import Output

OPERATION_TIMEOUT_S = 120.0
LONGEST_TIMEOUT_S = 600.0


def register(subparsers: "Subparsers") -> None:
    """Add the commands."""
    init = add_command(subparsers, "init", _init, data=True)
    init.add_argument("--name", required=True, help=text("help.init.name"))
    init.add_argument("--node-name", metavar="NODE", help=text("help.init.node-name"))
    init.add_argument("--mesh", default="10.90.0.0/24", metavar="CIDR", help=text("help.init.mesh"))
    init.add_argument("--ip", help=text("help.init.ip"))
    init.add_argument("--port", type=int, default=51820, help=text("help.init.port"))
    init.add_argument("--endpoint", metavar="HOST:PORT", help=text("help.init.endpoint"))
    add_provider_options(init, "--stonith")
    token = add_command(subparsers, "token", _token, data=True)
    token.add_argument("--ip", help=text("help.token.ip"))
    token.add_argument("--ttl", default="1h", help=text("help.token.ttl"))
    token.add_argument("--endpoint", metavar="HOST:PORT", help=text("help.init.endpoint"))
    join = add_command(subparsers, "join", _join, data=True)
    join.add_argument("token", metavar="TOKEN", help=text("help.join.token"))
    join.add_argument("--node-name", metavar="NODE", help=text("help.init.node-name"))
    join.add_argument("--endpoint", metavar="HOST:PORT", help=text("help.init.endpoint"))
    join.add_argument("--ip", help=text("help.init.ip"))
    join.add_argument("--port", type=int, default=51820, help=text("help.init.port"))
    join.add_argument("--reply", action="store_true", help=text("help.join.reply"))
    leave = add_command(subparsers, "leave", _leave, data=True)
    leave.add_argument("--force", action="store_true", help=text("help.leave.force"))
    propagate = add_command(subparsers, "propagate", _propagate, data=True)
    propagate.add_argument("--timeout", type=float, default=10.0, metavar="S", help=text("help.propagate.timeout"))


def _init(options: argparse.Namespace) -> None:
    from ..admin.founding import Wish, found, future_config, refuse_members
    from ..admin.undo import Undo
    from ..config.names import fault_of_text

    output: Output = options.output
    section = section_of(options) if options.provider else {}
    with _Failures(), Undo() as undo:
        refuse_members()
        if section and fault_of_text(options.name) is None:  # a mistake in it is found before anything is made
            with_section(future_config(options.name, options.node_name), section)
        wish = Wish(options.name, options.mesh, options.ip, options.port, options.endpoint, options.node_name)
        mesh = found(wish, output.step, undo)
        if section:
            write_section(section)
        undo.daemon()
        status = _start(output, mesh)
        undo.settled = True
    output.done("init.done", cluster=options.name, node=mesh.own.name, address=mesh.own.address)
    output.say("init.next")
    output.document({"ok": True, "cluster": options.name, "node": mesh.own.name, "status": status})


def _token(options: argparse.Namespace) -> None:
    answer = call("token", timeout_s=30.0, ttl_s=_seconds(options.ttl), ip=options.ip, endpoint=options.endpoint)
    # The token alone on a line of its own on stdout, so that it can be piped; all else is for people.
    options.output.line(str(answer["token"]))
    options.output.document({"ok": True} | {key: answer[key] for key in ("token", "address", "expires_at_s")})


def _join(options: argparse.Namespace) -> None:
    import time

    from ..admin.daemon_start import StartFailed, daemon_process
    from ..admin.joining import join, not_started, prepare, started
    from ..admin.undo import Undo
    from ..token.core import decode

    output: Output = options.output
    with _Failures():
        token = decode(_given(options.token), time.time())
        mesh = not_started() if daemon_process() is None else None
        if mesh is not None:
            output.step("join.step.again", node=mesh.own.name)
        else:
            output.step("join.step.parsed", cluster=token.cluster, seeder=token.seeder)
            joiner = prepare(
                token,
                endpoint=options.endpoint,
                ip=options.ip,
                port=options.port,
                said=output.step,
                by_hand=options.reply,
                name=options.node_name,
            )
            with Undo() as undo:
                mesh = join(joiner, undo)
        try:
            status = _start(output, mesh)
        except StartFailed as failed:
            raise CommandFailed(message("join.not-started", node=mesh.own.name, why=failed.why)) from failed
        started()
    output.done("join.done", node=mesh.own.name, cluster=token.cluster, address=mesh.own.address)
    output.document({"ok": True, "cluster": token.cluster, "node": mesh.own.name, "status": status})


def _given(token: str) -> str:
    """The token itself; ``@FILE`` is in a file. Raises CommandFailed."""
    if not token.startswith("@"):
        return token
    try:
        return Path(token[1:]).read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        raise CommandFailed(message("config.unreadable", file=token[1:], reason=reason)) from error


def _start(output: "Output", mesh: "Mesh") -> dict[str, Any]:
    from ..admin.daemon_start import start_daemon, wait_until_up

    return wait_until_up(mesh.interface, mesh.own.address, len(mesh.peers), output.step, start_daemon())


def _leave(options: argparse.Namespace) -> int:
    from ..admin.daemon_start import daemon_process
    from ..admin.departing import what_is_left
    from ..control.client import DaemonUnreachable

    try:
        answer = call("leave", timeout_s=OPERATION_TIMEOUT_S, force=options.force)
    except CommandFailed as error:
        if not isinstance(error.__cause__, DaemonUnreachable) or daemon_process() is not None:
            raise
        return _leave_alone(options)
    left = what_is_left()
    if left is not None:
        raise CommandFailed(left)
    return show_outcome(options.output, answer, "leave.done", "leave.partial")


def _leave_alone(options: argparse.Namespace) -> int:
    """There is no daemon: what it would have done here is done here; with other members only if that is wanted."""
    from ..admin.departing import leave_alone
    from ..admin.founding import INTERFACE
    from ..config.load import MESH_PATH, load_mesh
    from ..mesh import wireguard

    with _Failures():
        mesh = load_mesh() if MESH_PATH.exists() else None
        interface = mesh.interface if mesh is not None else INTERFACE
        others = ", ".join(peer.name for peer in mesh.peers) if mesh is not None else ""
        if mesh is None and not wireguard.is_up(interface):
            raise CommandFailed(message("leave.nothing", path=str(MESH_PATH)))
        if others and not options.force:
            raise CommandFailed(message("leave.no-daemon", others=others))
        leave_alone(interface)
    answer = {"ok": True, "propagated": f"0/{len(mesh.peers) if mesh else 0}", "partial": bool(others), "warnings": []}
    return show_outcome(options.output, answer, "leave.done", "leave.partial")


def _propagate(options: argparse.Namespace) -> int:
    if not 0 < options.timeout <= LONGEST_TIMEOUT_S:  # which NaN is not, either
        raise CommandFailed(message("propagate.bad-timeout", most=LONGEST_TIMEOUT_S, given=options.timeout), USAGE)
    answer = call("propagate", timeout_s=options.timeout + OPERATION_TIMEOUT_S, timeout=options.timeout)
    return show_outcome(options.output, answer, "propagate.done", "propagate.partial")


def show_outcome(output: "Output", answer: dict[str, Any], done: str, partial: str) -> int:
    """n/total and the warnings; the exit code."""
    warnings = [said(from_json(warning)) for warning in answer["warnings"]]
    for warning in warnings:
        output.warn(warning)
    if answer["partial"]:
        output.partial(partial, propagated=answer["propagated"])
    else:
        output.done(done, propagated=answer["propagated"])
    output.document(answer | {"warnings": warnings})
    return PARTIAL if answer["partial"] else DONE


def _seconds(given: str) -> int:
    """A time such as 90, 90s, 10min, 1h or 2d in seconds. Raises CommandFailed."""
    units = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
    digits = given.rstrip("abcdefghijklmnopqrstuvwxyz")
    if not digits.isascii() or not digits.isdigit() or given[len(digits) :] not in units or len(digits) > 9:
        raise CommandFailed(message("token.bad-ttl", given=given))
    return int(digits) * units[given[len(digits) :]]


class _Failures:
    """Turns what an operation raises into one line."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        from ..admin.daemon_start import StartFailed
        from ..admin.founding import FoundingFailed
        from ..admin.own_endpoint import EndpointUnknown
        from ..config.load import ConfigError
        from ..membership.corosync import CorosyncError
        from ..mesh.wireguard import WireGuardError
        from ..roster.store import StoreError
        from ..token.core import TokenError

        if isinstance(error, FoundingFailed | StartFailed | TokenError | EndpointUnknown | WireGuardError):
            raise CommandFailed(error.why) from error
        if isinstance(error, PermissionError):
            raise CommandFailed(message("needs-root", file=str(error.filename))) from error
        if isinstance(error, ConfigError | CorosyncError | StoreError | OSError | ValueError | KeyError):
            why = error.args[0] if error.args and isinstance(error.args[0], Message) else str(error)
            raise CommandFailed(why) from error
