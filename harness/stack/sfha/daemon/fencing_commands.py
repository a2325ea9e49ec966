"""What `sfha stonith` asks of the daemon, through the control socket."""

from ...kit.messages import message
from ..node.node import Node


async def stonith(node: Node, request: dict[str, object]) -> dict[str, object]:
    """Answer ``{"command": "stonith", "verb": ..., "node": ..., "force": ...}``."""
    arbiter = node.arbiter
    if arbiter is None:
        return {"ok": False, "error": message("stonith.off").to_json()}
    target, force = str(request.get("node", "")), request.get("force") is True
    match request.get("verb"):
        case "history":
            return {"ok": True, "history": arbiter.history()}
        case "fence":
            refused = arbiter.fence(target, force=force)
        case "certify":
            refused = arbiter.certify(target)
        case "forgive":
            refused = arbiter.forgive(target)
        case verb:
            refused = message("control.unknown", command=f"stonith {verb}")
    node.arbiter_reported()
    return {"ok": True} if refused is None else {"ok": False, "error": refused.to_json()}
