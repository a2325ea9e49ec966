"""A web service that switches power: requests made from templates."""

from urllib.parse import quote

from .http import LONGEST_REASON, Answer, Server, ask
from .provider import Power, ProviderError
from .settings import SwitchedNode, WebhookAccess, WebhookRequest, fill


class Webhook:
    """Sends the configured requests. Without a status request, a 2xx answer to "off" is the confirmation."""

    def __init__(self, access: WebhookAccess, nodes: dict[str, SwitchedNode]) -> None:
        self._access, self._nodes = access, nodes
        self._server = Server(access.verify_tls, access.ca_file, access.timeout_s)
        self._confirmed_off: set[str] = set()

    def power_off(self, node: str) -> None:
        """Send the request with action "off"."""
        self._send(self._access.switch, node, "off")
        self._confirmed_off.add(node)

    def power_on(self, node: str) -> None:
        """Send the request with action "on"."""
        self._send(self._access.switch, node, "on")
        self._confirmed_off.discard(node)

    def power(self, node: str) -> Power:
        """Ask for the status; where no such request is configured, only our own "off" is known."""
        if self._access.status is None:
            if node in self._confirmed_off:
                return "off"
            raise ProviderError("stonith.webhook.status_url is not set: nobody can be asked for the power of a node")
        answer = self._send(self._access.status, node, "status")
        return "off" if self._access.off_when in answer.body.decode(errors="replace") else "on"

    def _send(self, request: WebhookRequest, node: str, action: str) -> Answer:
        switched = self._nodes.get(node, SwitchedNode())
        url = fill(request.url, quote(node, safe=""), action, switched)
        headers = {name: fill(value, node, action, switched) for name, value in request.headers}
        body = fill(request.body, node, action, switched).encode() if request.body else None
        answer = ask(self._server, request.method, url, headers, body)
        if not answer.ok:
            words = answer.body.decode(errors="replace").strip().splitlines()
            said = f": {words[0][:LONGEST_REASON]}" if words else ""
            raise ProviderError(f"the webhook answered {answer.status} {answer.reason}{said}")
        return answer
