"""What `sfha stonith` asks of the daemon, through the control socket."""

from .languages.core import message
from .node import Node


async def stonith(node: Node, request: dict[str, object]) -> dict[str, object]:
    """Answer ``{"command": "stonith", "verb": ..., "node": ..., "force": ...}``."""
    sentry = node.sentry
    if sentry is None:
        return {"ok": False, "error": message("stonith.off").to_json()}
    target, force = str(request.get("node", "")), request.get("force") is True
    match request.get("verb"):
        case "history":
            return {"ok": True, "history": sentry.history()}
        case "fence":
            refused = sentry.fence(target, force=force)
        case "certify":
            refused = sentry.certify(target)
        case "forgive":
            refused = sentry.forgive(target)
        case verb:
            refused = message("control.unknown", command=f"stonith {verb}")
    node.sentry_reported()
    return {"ok": True} if refused is None else {"ok": False, "error": refused.to_json()}
