"""The section ``stonith`` of config.yml."""

from dataclasses import dataclass, field
from pathlib import Path

from ...kit.messages import message
from ...kit.settings import ConfigError, Section

PROVIDERS = ("proxmox", "webhook", "command")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
KINDS = ("lxc", "qemu")
LARGEST_VMID = 999_999_999


@dataclass(frozen=True, slots=True)
class SwitchedNode:
    """How the provider knows a node. ``kind`` and ``vmid`` are Proxmox's; a webhook's templates may use them, too."""

    kind: str = ""
    vmid: int = 0


@dataclass(frozen=True, slots=True)
class ProxmoxAccess:
    """Where the API is and who asks. ``host_node`` is empty where the guest's host is to be looked up."""

    url: str
    token_id: str
    token_secret: str = field(repr=False)
    verify_tls: bool = True
    ca_file: str = ""
    host_node: str = ""
    timeout_s: float = 5.0


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """One request; the texts may hold {node}, {action}, {vmid} and {type}."""

    url: str
    method: str = "POST"
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: str = ""


@dataclass(frozen=True, slots=True)
class WebhookAccess:
    """What to send; without ``status`` the service must answer 2xx only when the node is off for certain."""

    switch: WebhookRequest
    status: WebhookRequest | None = None
    off_when: str = "off"
    verify_tls: bool = True
    ca_file: str = ""
    timeout_s: float = 10.0


@dataclass(frozen=True, slots=True)
class CommandAccess:
    """A program that is called with `off|on|status NODE`; `status` prints on or off."""

    program: str
    timeout_s: float = 20.0


@dataclass(frozen=True, slots=True)
class Notify:
    """A program that is called with `fenced|returned NODE` on every node (see notices/core.py)."""

    program: str
    timeout_s: float = 20.0


@dataclass(frozen=True, slots=True)
class Safety:
    """The limits (seconds)."""

    require_quorum: bool = True
    min_delay_s: float = 60.0
    max_per_5min: int = 2
    grace_s: float = 120.0
    delay_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Stonith:
    """The whole section. At most one of the accesses is set: that of the provider."""

    enabled: bool = False
    provider: str = ""
    proxmox: ProxmoxAccess | None = None
    webhook: WebhookAccess | None = None
    command: CommandAccess | None = None
    nodes: dict[str, SwitchedNode] = field(default_factory=dict)
    safety: Safety = Safety()
    notify: Notify | None = None


def read_stonith(top: Section) -> Stonith:
    """Take the section out of the file. Raises ConfigError."""
    section = top.section("stonith")
    enabled = section.flag("enabled", False)
    provider = section.text("provider", "")
    if provider not in (*PROVIDERS, ""):
        raise _one_of(section, "provider", PROVIDERS, provider)
    if enabled and not provider:
        raise section.wrong("provider", message("config.missing"))
    accesses = {name: section.section(name) for name in PROVIDERS}
    for name, access in accesses.items():
        if name != provider and access.names():
            raise section.wrong(name, message("stonith.config.other-provider", provider=provider or "..."))
    nodes = _nodes(section, provider)
    if enabled and not nodes:
        raise section.wrong("nodes", message("stonith.config.no-nodes"))
    stonith = Stonith(
        enabled=enabled,
        provider=provider,
        proxmox=_proxmox(accesses["proxmox"]) if provider == "proxmox" else None,
        webhook=_webhook(accesses["webhook"]) if provider == "webhook" else None,
        command=_command(accesses["command"]) if provider == "command" else None,
        nodes=nodes,
        safety=_safety(section.section("safety")),
        notify=_notify(section.section("notify")),
    )
    section.done()
    return stonith


def _one_of(section: Section, key: str, allowed: tuple[str, ...], given: str) -> ConfigError:
    return section.wrong(key, message("config.one-of", allowed=", ".join(allowed), given=given))


def _nodes(section: Section, provider: str) -> dict[str, SwitchedNode]:
    nodes: dict[str, SwitchedNode] = {}
    mapping = section.section("nodes")
    for name in mapping.names():
        node = mapping.section(name)
        needed = provider == "proxmox"
        kind = node.text("type", None if needed else "")
        if kind not in (KINDS if needed else (*KINDS, "")):
            raise _one_of(node, "type", KINDS, kind)
        nodes[name] = SwitchedNode(kind, node.number("vmid", None if needed else 0, 100 if needed else 0, LARGEST_VMID))
        node.done()
    return nodes


def _proxmox(section: Section) -> ProxmoxAccess:
    token_id = section.text("token_id")
    user, _, token = token_id.partition("!")
    if "@" not in user or not token:
        raise section.wrong("token_id", message("stonith.config.token-id"))
    access = ProxmoxAccess(
        url=_url(section, "url"),
        token_id=token_id,
        token_secret=_secret(section, "token_secret"),
        verify_tls=section.flag("verify_tls", True),
        ca_file=section.text("ca_file", ""),
        host_node=section.text("node", ""),
        timeout_s=section.number("timeout_ms", 5000, 100, 60_000) / 1000,
    )
    section.done()
    return access


def _secret(section: Section, key: str) -> str:
    """The secret itself, or ``KEY_file``: a file that holds nothing else."""
    file = section.text(f"{key}_file", "")
    if not file:
        return section.text(key)
    if section.text(key, ""):
        raise section.wrong(key, message("stonith.config.two-secrets", other=f"{key}_file"))
    try:
        return Path(file).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        raise section.wrong(f"{key}_file", message("stonith.config.unreadable", file=file, reason=reason)) from error


def _webhook(section: Section) -> WebhookAccess:
    given = section.section("headers")
    headers = tuple((name, given.text(name)) for name in given.names())
    switch = WebhookRequest(_url(section, "url"), _method(section, "method", "POST"), headers, section.text("body", ""))
    status_url, status_method = section.text("status_url", ""), _method(section, "status_method", "GET")
    for key in ("url", "status_url", "body"):
        if "{{" in section.text(key, ""):
            raise section.wrong(key, message("stonith.config.braces"))
    for name, value in headers:
        if not (name + value).isprintable():
            raise given.wrong(name, message("stonith.config.one-line"))
    access = WebhookAccess(
        switch=switch,
        status=WebhookRequest(_url(section, "status_url"), status_method, headers) if status_url else None,
        off_when=section.text("status_off", "off"),
        verify_tls=section.flag("verify_tls", True),
        ca_file=section.text("ca_file", ""),
        timeout_s=section.number("timeout_ms", 10_000, 100, 120_000) / 1000,
    )
    section.done()
    return access


def _method(section: Section, key: str, default: str) -> str:
    method = section.text(key, default).upper()
    if method not in METHODS:
        raise _one_of(section, key, METHODS, method)
    return method


def fill(template: str, node: str, action: str, switched: SwitchedNode) -> str:
    """A template with its gaps filled; other braces, such as those of JSON, stay as they are."""
    values = {"node": node, "action": action, "vmid": str(switched.vmid), "type": switched.kind}
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", value)
    return template


def _command(section: Section) -> CommandAccess:
    access = CommandAccess(_program(section), section.number("timeout_ms", 20_000, 100, 120_000) / 1000)
    section.done()
    return access


def _notify(section: Section) -> Notify | None:
    if not section.names():
        return None
    notify = Notify(_program(section), section.number("timeout_ms", 20_000, 100, 120_000) / 1000)
    section.done()
    return notify


def _program(section: Section) -> str:
    program = section.text("program")
    if not program.startswith("/"):
        raise section.wrong("program", message("stonith.config.absolute", given=program))
    return program


def _url(section: Section, key: str) -> str:
    given = section.text(key)
    scheme, found, rest = given.partition("://")
    host = rest.partition("/")[0]
    if scheme not in ("http", "https") or not found or not host or not given.isprintable() or " " in given:
        raise section.wrong(key, message("stonith.config.url"))
    if "@" in host:
        raise section.wrong(key, message("stonith.config.url-secret"))
    return given


def _safety(section: Section) -> Safety:
    safety = Safety(
        require_quorum=section.flag("require_quorum", True),
        min_delay_s=section.number("min_delay_between_fence", 60, 0, 86_400),
        max_per_5min=section.number("max_fences_per_5min", 2, 1, 100),
        grace_s=section.number("startup_grace_period", 120, 0, 86_400),
        delay_s=section.number("fence_delay_on_node_left", 10, 0, 86_400),
    )
    section.done()
    return safety
