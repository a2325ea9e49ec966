"""A real HTTP server on loopback that speaks as much of the Proxmox VE API as fencing needs, as it is documented.

Every answer is `{"data": ...}`; errors are in the reason of the status line; stop and start begin a task and answer
its UPID.
"""

import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN_ID, SECRET = "sfha@pve!fence", "5a2c7f0e-secret"


@dataclass
class Guest:
    """A container or a virtual machine on one of the hosts."""

    kind: str
    host: str
    status: str = "running"
    stops: bool = True
    """False for a guest whose stop does nothing."""


@dataclass
class Task:
    """Something a host is doing; it has ended at ``ends_s``."""

    guest: Guest
    verb: str
    ends_s: float
    exitstatus: str = "OK"
    took_effect: bool = False


@dataclass
class ProxmoxServer:
    """What the API is about: guests by VMID, tasks by UPID, and faults to be had."""

    guests: dict[int, Guest] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    task_takes_s: float = 0.05
    task_fails_with: str = ""
    refuse_next: list[tuple[int, str]] = field(default_factory=list)
    silent_for_s: float = 0.0
    garbage: bool = False
    url: str = ""

    def answer(self, method: str, path: str, token: str) -> tuple[int, str, Any]:
        """Status, reason and data."""
        if token != f"PVEAPIToken={TOKEN_ID}={SECRET}":
            return 401, "authentication failure", None
        if self.refuse_next:
            return (*self.refuse_next.pop(0), None)
        parts = urlsplit(path)
        match method, [unquote(word) for word in parts.path.removeprefix("/api2/json/").split("/")]:
            case "GET", ["cluster", "resources"] if parse_qs(parts.query) == {"type": ["vm"]}:
                return 200, "OK", [self._resource(vmid, guest) for vmid, guest in self.guests.items()]
            case "GET", ["nodes", host, kind, vmid, "status", "current"] if self._is(host, kind, vmid):
                self._settle()
                return 200, "OK", {"vmid": int(vmid), "status": self.guests[int(vmid)].status, "uptime": 7}
            case "POST", ["nodes", host, kind, vmid, "status", ("stop" | "start") as verb] if self._is(
                host, kind, vmid
            ):
                return self._begin(self.guests[int(vmid)], verb, vmid)
            case "GET", ["nodes", host, "tasks", upid, "status"]:
                return self._task(host, upid)
            case "GET" | "POST", ["nodes", *_]:
                return 500, "Configuration file does not exist", None
        return 501, f"Method '{method} {parts.path}' not implemented", None

    def _is(self, host: str, kind: str, vmid: str) -> bool:
        guest = self.guests.get(int(vmid))
        return guest is not None and (guest.host, guest.kind) == (host, kind)

    @staticmethod
    def _resource(vmid: int, guest: Guest) -> dict[str, Any]:
        return {
            "id": f"{guest.kind}/{vmid}",
            "type": guest.kind,
            "vmid": vmid,
            "node": guest.host,
            "status": guest.status,
        }

    def _begin(self, guest: Guest, verb: str, vmid: str) -> tuple[int, str, Any]:
        if verb == "stop" and guest.status == "stopped":
            return 500, f"{'CT' if guest.kind == 'lxc' else 'VM'} {vmid} not running", None
        kind = {"lxc": "vz", "qemu": "qm"}[guest.kind] + verb
        upid = f"UPID:{guest.host}:0000{len(self.tasks):04X}:00A1:656E:{kind}:{vmid}:{TOKEN_ID}:"
        self.tasks[upid] = Task(guest, verb, time.monotonic() + self.task_takes_s, self.task_fails_with or "OK")
        return 200, "OK", upid

    def _task(self, host: str, upid: str) -> tuple[int, str, Any]:
        self._settle()
        task = self.tasks.get(upid)
        if task is None or task.guest.host != host:
            return 500, "no such task", None
        ended = time.monotonic() >= task.ends_s
        about = {"upid": upid, "node": host, "status": "stopped" if ended else "running"}
        return 200, "OK", about | ({"exitstatus": task.exitstatus} if ended else {})

    def _settle(self) -> None:
        for task in self.tasks.values():
            due = time.monotonic() >= task.ends_s and not task.took_effect and task.exitstatus == "OK"
            if due and (task.guest.stops or task.verb == "start"):
                task.guest.status = {"stop": "stopped", "start": "running"}[task.verb]
                task.took_effect = True


@contextmanager
def serving(proxmox: ProxmoxServer, certificate: tuple[Path, Path] | None = None) -> Iterator[ProxmoxServer]:
    """Listen on a free port of loopback, with TLS where a certificate (and its key) is given."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self._answer()

        def _answer(self) -> None:
            proxmox.requests.append(f"{self.command} {self.path}")
            released.wait(proxmox.silent_for_s)
            status, reason, data = proxmox.answer(self.command, self.path, self.headers.get("Authorization", ""))
            body = b"<html>" if proxmox.garbage else json.dumps({"data": data}).encode()
            self.send_response(status, reason)
            self.send_header("Content-Type", "application/json;charset=UTF-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            pass

    released = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    proxmox.url = f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_address[1]}"
    try:
        yield proxmox
    finally:
        released.set()
        server.shutdown()
        server.server_close()
        thread.join()
