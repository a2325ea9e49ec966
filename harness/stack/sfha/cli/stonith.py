"""`sfha stonith status|fence|unfence|history|setup`: take the power of a node, and see what fencing is about."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...kit.messages import message
from ...kit.speech import text
from .asking import call
from .errors import FAILED, PARTIAL, CommandFailed
from .frame import add_command, add_group

if TYPE_CHECKING:
    from ..fencing.provider import Provider
    from ..fencing.settings import Stonith
    from .frame import Subparsers
    from .output import Output

FENCED_WITHIN_S = 150.0
"""Three tries of 30 s, with what a provider may take itself."""
ASK_EVERY_S = 0.2
CONFIG = Path("/etc/sfha/config.yml")


def register(subparsers: "Subparsers") -> None:
    """Add the group."""
    group = add_group(subparsers, "stonith")
    add_command(group, "stonith status", _status, data=True)
    fence = add_command(group, "stonith fence", _fence, data=True)
    fence.add_argument("node", metavar=text("stonith.word.node"))
    fence.add_argument("--force", action="store_true", help=text("help.stonith.force"))
    fence.add_argument("--by-hand", action="store_true", help=text("help.stonith.by-hand"))
    unfence = add_command(group, "stonith unfence", _unfence, data=True)
    unfence.add_argument("node", metavar=text("stonith.word.node"))
    add_command(group, "stonith history", _history, data=True)
    setup = add_command(group, "stonith setup", _setup, data=True)
    add_provider_options(setup, "--provider")


def add_provider_options(parser: argparse.ArgumentParser, flag: str) -> None:
    """What is needed to write a section ``stonith``; ``flag`` names the provider, and is not given where none is."""
    providers = ("proxmox", "webhook", "command")
    parser.add_argument(flag, dest="provider", choices=providers, help=text("help.stonith.provider"))
    parser.add_argument("--url", help=text("help.stonith.url"))
    parser.add_argument("--token-id", help=text("help.stonith.token-id"))
    parser.add_argument("--token-secret-file", type=Path, help=text("help.stonith.token-file"))
    parser.add_argument("--program", type=Path, help=text("help.stonith.program"))
    parser.add_argument("--node", action="append", default=[], metavar="NAME=lxc:VMID", help=text("help.stonith.node"))


def _status(options: argparse.Namespace) -> None:
    stonith = call("status").get("stonith")
    options.output.document({"enabled": False} if stonith is None else stonith)
    if stonith is None:
        options.output.say("stonith.off")
    else:
        show_fencing(options.output, stonith)


def show_fencing(output: "Output", stonith: dict[str, Any]) -> None:
    """What fencing is about, for a person."""
    output.say("stonith.says.provider", provider=stonith["provider"])
    if stonith.get("notify"):
        output.say("notify.is", program=stonith["notify"])
    if stonith["grace_left_s"]:
        output.say("stonith.says.grace", seconds=stonith["grace_left_s"])
    if stonith["waits_for"]:
        output.line(output.paint(text("stonith.says.waits", node=stonith["waits_for"]), "yellow"))
    elif stonith["permitted"]:
        output.say("stonith.says.permitted")
    rows = [
        [node["name"], output.paint(_state(stonith, node), *_style(node)), _told(output, node.get("told"))]
        for node in stonith["nodes"]
    ]
    output.table(rows)


def _told(output: "Output", told: dict[str, Any] | None) -> str:
    """What the program was told of a node; of one that is here and was said to be, nothing."""
    if told is None or (told["done"] and told["word"] == "returned"):
        return ""
    how = "done" if told["done"] else "failed" if told["error"] else "running"
    shown = text(f"notify.told.{how}", word=told["word"], tries=told["tries"], reason=told["error"])
    return output.paint(shown, "yellow") if how == "failed" else shown


def _style(node: dict[str, Any]) -> tuple[Any, ...]:
    if node["refused"] or node["due_in_s"] is not None:
        return ("yellow",)
    return ("red",) if node["off"] else ()


def _state(stonith: dict[str, Any], node: dict[str, Any]) -> str:
    if stonith["running"] == node["name"]:
        return text("stonith.state.running")
    if node["off"]:
        return text("stonith.state.off")
    if node["refused"]:
        return text("stonith.state.refused", why=text(f"stonith.refused.{node['refused']}", node=node["name"]))
    if node["due_in_s"] is not None:
        return text("stonith.state.due", seconds=node["due_in_s"])
    return text("stonith.state.quiet" if node["configured"] else "stonith.state.unconfigured")


def _fence(options: argparse.Namespace) -> int | None:
    output: Output = options.output
    if options.by_hand:
        call("stonith", verb="certify", node=options.node)
        output.done("stonith.certified", node=options.node)
        output.document({"ok": True, "node": options.node, "by_hand": True})
        return None
    before = len(_fencings(options.node))
    call("stonith", verb="fence", node=options.node, force=options.force)
    output.step("stonith.begun", node=options.node)
    until_s = time.monotonic() + FENCED_WITHIN_S
    while time.monotonic() < until_s:
        newest = _fencings(options.node)[-1:] if len(_fencings(options.node)) > before or before >= 100 else []
        if newest and newest[0]["ok"] is not None:
            if not newest[0]["ok"]:
                raise CommandFailed(message("stonith.failed", node=options.node, reason=newest[0]["error"]))
            output.done("stonith.fenced", node=options.node)
            output.document({"ok": True, "node": options.node})
            return None
        time.sleep(ASK_EVERY_S)
    raise CommandFailed(message("stonith.endless", node=options.node, seconds=FENCED_WITHIN_S))


def _fencings(node: str) -> list[dict[str, Any]]:
    return [one for one in call("stonith", verb="history")["history"] if one["node"] == node]


def _unfence(options: argparse.Namespace) -> None:
    from ..fencing.provider import ProviderError

    provider, stonith = _provider()
    if options.node not in stonith.nodes:
        known = ", ".join(sorted(stonith.nodes))
        raise CommandFailed(message("stonith.unknown", node=options.node, known=known))
    try:
        provider.power_on(options.node)
    except ProviderError as error:
        raise CommandFailed(message("stonith.failed-on", node=options.node, reason=str(error))) from error
    call("stonith", verb="forgive", node=options.node)
    options.output.done("stonith.unfenced", node=options.node)
    options.output.document({"ok": True, "node": options.node})


def _history(options: argparse.Namespace) -> None:
    output: Output = options.output
    history = call("stonith", verb="history")["history"]
    output.document({"ok": True, "history": history})
    if not history:
        output.say("stonith.no-history")
    rows = []
    for one in history:
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time.time() - one["age_s"]))
        ended = text("stonith.ended.running" if one["ok"] is None else f"stonith.ended.{str(one['ok']).lower()}")
        how = text("stonith.how.automatic" if one["automatic"] else "stonith.how.asked")
        rows.append([at, one["node"], text("stonith.by", node=one["by"]), how, ended, one["error"]])
    output.table(rows)


def _provider() -> "tuple[Provider, Stonith]":
    from ..config.load import ConfigError, load_config
    from ..fencing.provider import ProviderError
    from ..fencing.providers import provider_of

    try:
        stonith = load_config(CONFIG).stonith
        if stonith is None or not stonith.provider:
            raise CommandFailed(message("stonith.off"))
        return provider_of(stonith), stonith
    except (ConfigError, ProviderError) as error:
        raise CommandFailed(str(error)) from error


def _setup(options: argparse.Namespace) -> int | None:
    """Write the section where there is none, then see whether every switch answers."""
    output: Output = options.output
    if options.provider:
        _write_section(options)
        output.done("stonith.written", path=str(CONFIG))
    from ..fencing.provider import ProviderError

    provider, stonith = _provider()
    answers: dict[str, str] = {}
    failed: dict[str, str] = {}
    for node in sorted(stonith.nodes):
        try:
            answers[node] = provider.power(node)
        except ProviderError as error:
            failed[node] = str(error)
    output.table([[node, text(f"stonith.power.{power}")] for node, power in answers.items()])
    for node, reason in failed.items():
        output.warn(message("stonith.no-answer", node=node, reason=reason))
    output.document({"ok": not failed, "power": answers, "errors": failed})
    if failed:
        return PARTIAL if answers else FAILED
    output.done("stonith.answers", count=len(answers))
    if not stonith.enabled:
        output.say("stonith.enable")
    elif options.provider:
        output.say("stonith.restart")
    return None


def _write_section(options: argparse.Namespace) -> None:
    from ..config.load import ConfigError

    section = section_of(options)
    try:
        write_section(section)
    except ConfigError as error:
        raise CommandFailed(error.why) from error
    except OSError as error:
        raise CommandFailed(message("stonith.not-written", path=str(CONFIG), reason=error.strerror or "")) from error


def section_of(options: argparse.Namespace) -> dict[str, object]:
    """The section ``stonith`` that the options ask for. Raises CommandFailed where one is missing."""
    access = {
        "proxmox": {
            "url": options.url,
            "token_id": options.token_id,
            "token_secret_file": options.token_secret_file and str(options.token_secret_file.resolve()),
        },
        "webhook": {"url": options.url},
        "command": {"program": options.program and str(options.program)},
    }[options.provider]
    missing = [f"--{name.replace('_', '-')}" for name, value in access.items() if not value]
    missing = [name.replace("--token-secret-file", "--token-secret-file FILE") for name in missing]
    if not options.node:
        missing.append("--node NAME=lxc:VMID")
    if missing:
        raise CommandFailed(message("stonith.setup-needs", options=", ".join(missing)), 2)
    nodes: dict[str, object] = {}
    for given in options.node:
        name, _, guest = given.partition("=")
        kind, _, vmid = guest.partition(":")
        number = int(vmid) if vmid.isascii() and vmid.isdigit() else vmid
        nodes[name] = {"type": kind, "vmid": number} if guest else {}
    return {"enabled": True, "provider": options.provider, options.provider: access, "nodes": nodes}


def with_section(before: str, section: dict[str, object]) -> str:
    """A config.yml with the section, known to be good. Raises CommandFailed where it has one, and ConfigError."""
    from ..config.load import load_config
    from ..config.text import with_new_section

    if load_config(CONFIG, before).stonith is not None:
        raise CommandFailed(message("stonith.have-section", path=str(CONFIG)))
    after = with_new_section(before, "stonith", section)
    load_config(CONFIG, after)
    return after


def write_section(section: dict[str, object]) -> None:
    """Add it to config.yml. Raises CommandFailed, ConfigError and OSError."""
    from ...kit.durable import write_durably

    write_durably(CONFIG, with_section(CONFIG.read_text(encoding="utf-8"), section), CONFIG.stat().st_mode & 0o777)
