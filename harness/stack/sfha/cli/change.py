"""What changes of VIPs and services have in common: asking, and saying what came of it."""

import argparse
from collections.abc import Mapping
from typing import Literal

from ...kit.messages import from_json, message
from ...kit.speech import said
from .asking import call
from .errors import DONE, PARTIAL

ANSWER_WITHIN_S = 20.0
Verb = Literal["add", "remove", "set"]

_DONE: dict[Verb, str] = {"add": "resources.added", "remove": "resources.removed", "set": "resources.set"}


def change(
    options: argparse.Namespace,
    kind: Literal["vip", "service"],
    verb: Verb,
    name: str,
    item: Mapping[str, object] | None = None,
) -> int:
    """Ask the daemon; exit code 3 where it was done, but is not active or not known everywhere."""
    answer = call(f"{kind}-{verb}", timeout_s=ANSWER_WITHIN_S, name=name, item=item)
    output = options.output
    nodes = {node: why and from_json(why) for node, why in (answer.get("nodes") or {}).items()}
    inactive = answer.get("inactive") and from_json(answer["inactive"])
    told_json = {node: why and said(why) for node, why in nodes.items()}
    output.document(
        {"ok": True, "revision": answer.get("revision"), "nodes": told_json, "inactive": inactive and said(inactive)}
    )
    output.done(_DONE[verb], kind=message(f"resources.word.{kind}"), name=name)
    failed = {node: why for node, why in nodes.items() if why is not None}
    told = {"done": len(nodes) - len(failed), "total": len(nodes)}
    if failed:
        output.partial("resources.told", **told)
        for node, why in failed.items():
            output.warn(message("resources.not-told", node=node, why=why))
    elif nodes:
        output.say("resources.told", **told)
    if inactive:
        output.warn(message("resources.not-active", name=name, why=inactive))
    return PARTIAL if failed or inactive else DONE
