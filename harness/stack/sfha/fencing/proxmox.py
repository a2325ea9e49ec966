"""Proxmox VE: guests of a host cluster, switched through its API (pve.proxmox.com/pve-docs/api-viewer).

`POST /nodes/HOST/lxc|qemu/VMID/status/stop|start` begins a task and answers its UPID;
`GET /nodes/HOST/tasks/UPID/status` says when it has stopped and how (`exitstatus` OK);
`GET .../status/current` says whether the guest is running.
"""

import json
import time
from urllib.parse import quote, urlencode

from .http import LONGEST_REASON, Server, ask
from .provider import Power, ProviderError
from .settings import ProxmoxAccess, SwitchedNode

TASK_WITHIN_S = 30.0
TASK_EVERY_S = 0.2
API = "/api2/json"


class Proxmox:
    """Switches guests with an API token, which needs VM.PowerMgmt and VM.Audit on them."""

    def __init__(self, access: ProxmoxAccess, nodes: dict[str, SwitchedNode]) -> None:
        self._access, self._nodes = access, nodes
        self._server = Server(access.verify_tls, access.ca_file, access.timeout_s)
        self._base = access.url.rstrip("/").removesuffix(API) + API

    def power_off(self, node: str) -> None:
        """Stop the guest at once, and wait for the task; one that is stopped already is left alone."""
        if self.power(node) == "on":
            self._switch(node, "stop")

    def power_on(self, node: str) -> None:
        """Start the guest, and wait for the task."""
        if self.power(node) == "off":
            self._switch(node, "start")

    def power(self, node: str) -> Power:
        """Whether the guest runs. A paused guest does: it may go on at any time."""
        found = self._data("GET", f"{self._guest(node)}/status/current")
        status = found.get("status") if isinstance(found, dict) else None
        if status not in ("running", "stopped"):
            raise ProviderError(f"Proxmox says that {node} is {status!r}, neither running nor stopped")
        return "off" if status == "stopped" else "on"

    def _switch(self, node: str, verb: str) -> None:
        guest = self._guest(node)
        task = self._data("POST", f"{guest}/status/{verb}")
        if not isinstance(task, str) or not task.startswith("UPID:"):
            raise ProviderError(f"Proxmox answered the {verb} of {node} without a task")
        host = guest.split("/")[2]
        until_s = time.monotonic() + TASK_WITHIN_S
        while True:
            state = self._data("GET", f"/nodes/{host}/tasks/{quote(task, safe='')}/status")
            if isinstance(state, dict) and state.get("status") == "stopped":
                break
            if time.monotonic() >= until_s:
                raise ProviderError(f"the {verb} of {node} has not ended within {TASK_WITHIN_S:g} s")
            time.sleep(TASK_EVERY_S)
        ended = str(state.get("exitstatus", "without a word"))
        if ended != "OK" and not ended.startswith("WARNINGS"):
            raise ProviderError(f"the {verb} of {node} failed: {ended[:LONGEST_REASON]}")

    def _guest(self, node: str) -> str:
        """The path of the guest, wherever it is now."""
        switched = self._nodes.get(node)
        if switched is None:
            raise ProviderError(f"{node} is not in stonith.nodes")
        host = self._access.host_node or self._host_of(node, switched)
        return f"/nodes/{quote(host, safe='')}/{switched.kind}/{switched.vmid}"

    def _host_of(self, node: str, switched: SwitchedNode) -> str:
        found = self._data("GET", f"/cluster/resources?{urlencode({'type': 'vm'})}")
        for one in found if isinstance(found, list) else []:
            if isinstance(one, dict) and one.get("vmid") == switched.vmid and one.get("type") == switched.kind:
                return str(one.get("node"))
        raise ProviderError(f"Proxmox knows no {switched.kind} {switched.vmid} for {node}, or the token may not see it")

    def _data(self, method: str, path: str) -> object:
        token = f"PVEAPIToken={self._access.token_id}={self._access.token_secret}"
        answer = ask(self._server, method, self._base + path, {"Authorization": token, "Accept": "application/json"})
        if answer.status == 401:
            raise ProviderError("Proxmox refused the API token: check stonith.proxmox.token_id and its secret")
        if answer.status == 403:
            raise ProviderError("the API token has no right to do this: it needs VM.PowerMgmt and VM.Audit")
        if not answer.ok:  # the reason of the status line is the error message
            raise ProviderError(f"Proxmox answered {answer.status} {answer.reason}")
        try:
            return json.loads(answer.body)["data"]
        except (ValueError, KeyError, TypeError) as error:
            raise ProviderError("the answer is not one of the Proxmox API") from error
