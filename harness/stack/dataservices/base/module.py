"""Module 2: what every server has beneath its services, the installer included.

Rules that lock the installer out would be its last. So new rules count for a minute only, until the installer has come
in again while they did: then they are kept, and loaded at every boot. Passwords are refused only where somebody got in
by a key.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from ..credentials.core import Credentials
from ..inventory.core import Inventory, Role, Server
from ..plan.beginning import each
from ..plan.core import Action, Ask, Check, Command, Directory, File, Packages, Plan, Stage, Unit
from ..plan.footprint import EVERY, Footprint, Leftover, Opening, Setting
from ..plan.module import CREDENTIALS, HOME, Module, Validated
from ..templates.render import render
from .core import SSH_PORT, TABLE, doors_of, ruleset, settings_of

TOOLS = ("iproute2", "nftables", "procps")
KEPT_WITHIN_S = 90
"""Longer than the installer tries to get in for: three attempts, with pauses."""
_LIBRARY, _ETC = "/usr/local/lib/keyservices", "/etc/keyservices"
_FIREWALL, _KERNEL, _SSH = (f"{_LIBRARY}/{name}.sh" for name in ("firewall", "kernel", "ssh_keys"))
_TRIED, _KEPT = f"{_ETC}/firewall-tried.nft", f"{_ETC}/firewall.nft"
_SETTINGS, _KEYS_ONLY = f"{_ETC}/kernel.conf", f"{_ETC}/sshd.conf"
_DROP_IN = "/etc/ssh/sshd_config.d/00-keyservices.conf"
_FIREWALL_UNIT, _KERNEL_UNIT = "keyservices-firewall.service", "keyservices-kernel.service"
_SERVICES = tuple(role for role in Role if role is not Role.INSTALLER)
_FOOTPRINT = Footprint(
    settings=(
        # What is swapped out answers late, and late is dead to whoever asks.
        Setting(EVERY, "vm.swappiness", "10"),
        # After a failover all clients come at once.
        Setting((Role.HAPROXY, Role.PROXYSQL), "net.core.somaxconn", "8192"),
        Setting((Role.HAPROXY, Role.PROXYSQL), "net.ipv4.tcp_max_syn_backlog", "8192"),
    ),
    leftovers=(
        Leftover(
            _SERVICES,
            (_FIREWALL_UNIT, _KERNEL_UNIT),
            (
                *(f"/etc/systemd/system/{unit}" for unit in (_FIREWALL_UNIT, _KERNEL_UNIT)),
                "/run/keyservices-firewall",
            ),
            (
                Command(
                    f"nft delete table inet {TABLE}",
                    f"! command -v nft || ! nft list table inet {TABLE}",
                    about=f"no table {TABLE} of nftables",
                ),
                Command(
                    f"sh {_SSH} undo {_DROP_IN}",
                    f"! test -e {_DROP_IN} && ! test -e /run/keyservices-sshd",
                    about="SSH takes what it took before",
                ),
            ),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class BaseModule:
    """See the module's docstring. ``needed`` says which modules the servers of an inventory are for."""

    needed: Callable[[Inventory], Sequence[Module]]
    opened: tuple[Opening, ...] = ()
    """What is open besides, for programs that are no module's."""
    number: int = 2
    name: str = "base"
    title: str = "Servers: kernel, firewall, SSH by key"
    roles: tuple[Role, ...] = (Role.INSTALLER,)
    credentials: Credentials | None = None
    footprint: Footprint = _FOOTPRINT

    def plan(self, inventory: Inventory, secrets: Mapping[str, str]) -> Plan:
        """Folders, tools, kernel, firewall, SSH; and that all of it is so, also as others see it."""
        servers = inventory.servers
        modules = [one for one in self.needed(inventory) if one.name != self.name]
        openings = [*(opening for one in modules for opening in one.footprint.openings), *self.opened]
        settings = [setting for one in (self, *modules) for setting in one.footprint.settings]
        rules = {one.name: ruleset(doors_of(one, inventory, openings)) for one in servers}
        return Plan(
            self.name,
            (
                Stage(
                    "prepared", {one.name: (*_folders(one), *_prepared(settings_of(one, settings))) for one in servers}
                ),
                Stage("firewall tried", {name: _tried(text) for name, text in rules.items()}),
                Stage("firewall kept", {name: _kept(text) for name, text in rules.items()}),
                Stage("ssh by key", each(servers, _by_key())),
                Stage("validated", {one.name: _proof(one, inventory) for one in servers}),
            ),
        )

    def failover(self, inventory: Inventory) -> Validated:
        """There is none."""
        return Validated()


def _folders(server: Server) -> tuple[Action, ...]:
    """Those of every server. The installer has them already, and they are whose he is who installs."""
    return () if Role.INSTALLER in server.roles else (Directory(HOME), Directory(CREDENTIALS, 0o700))


def _prepared(settings: Mapping[str, str]) -> tuple[Action, ...]:
    lines = "".join(f"{key} = {value}\n" for key, value in sorted(settings.items()))
    unit = f"/etc/systemd/system/{_KERNEL_UNIT}"
    return (
        Directory(_ETC),
        Directory(_LIBRARY),
        Packages(TOOLS),
        *(File(path, _text(path.rpartition("/")[2]), 0o755) for path in (_FIREWALL, _KERNEL, _SSH)),
        File(_SETTINGS, f"# Written by keyservices (module 2).\n{lines}"),
        File(unit, render("base-kernel.service.j2", program=_KERNEL, settings=_SETTINGS)),
        Unit(_KERNEL_UNIT, (_SETTINGS, _KERNEL, unit)),
        _in_time(),
    )


def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _in_time() -> Command:
    """Who keeps this server's clock right, if anybody is there for it, does. A container has its host's clock."""
    there = "for one in chrony ntpsec systemd-timesyncd; do systemctl -q cat $one.service 2>/dev/null && break; done"
    return Command(
        f"{there}; systemctl enable --now -q $one.service",
        f"systemd-detect-virt -cq || {{ {there} >/dev/null || exit 0; systemctl -q is-active $one.service; }}",
        about="the clock is kept right, where something is there for that",
    )


def _tried(rules: str) -> tuple[Action, ...]:
    counts = f"sh {_FIREWALL} try {_TRIED} {_KEPT} {KEPT_WITHIN_S}"
    return (File(_TRIED, rules, 0o600), Command(counts, _in_force(_TRIED), about="try these rules"))


def _kept(rules: str) -> tuple[Action, ...]:
    unit = f"/etc/systemd/system/{_FIREWALL_UNIT}"
    timer = "keyservices-firewall-undo.timer"
    return (
        # Who reads this has come in while they counted.
        Check(_in_force(_TRIED), 0),
        File(_KEPT, rules, 0o600),
        Command(f"sh {_FIREWALL} keep", f"! systemctl -q is-active {timer}", about="keep these rules"),
        File(unit, render("base-firewall.service.j2", program=_FIREWALL, rules=_KEPT)),
        Unit(_FIREWALL_UNIT, (_KEPT, _FIREWALL, unit)),
    )


def _in_force(rules: str) -> str:
    return f"sh {_FIREWALL} in-force {rules}"


def _by_key() -> tuple[Action, ...]:
    words = f"{_KEYS_ONLY} {_DROP_IN}"
    return (
        File(_KEYS_ONLY, _text("sshd.conf")),
        Command(f"sh {_SSH} apply {words}", f"sh {_SSH} applied {words}", about="SSH takes keys and nothing else"),
    )


def _proof(server: Server, inventory: Inventory) -> tuple[Action, ...]:
    others = [one for one in inventory.servers if one != inventory.installer]
    checks: tuple[Action, ...] = (
        Check(" && ".join(f"command -v {tool}" for tool in ("ip", "nft", "ps", "sysctl")), 0),
        Check(f"sh {_KERNEL} applied {_SETTINGS}", 0),
        Ask(f"sh {_KERNEL} tell {_SETTINGS}"),
        Check(f"{_in_force(_KEPT)} && systemctl -q is-enabled {_FIREWALL_UNIT}", 0),
        Check(f"sh {_SSH} applied {_KEYS_ONLY} {_DROP_IN}", 0),
        Ask(f"sh {_SSH} tell"),
    )
    if server not in others or len(others) < 2:
        return checks
    # As its neighbour sees it: the installer comes in, and nobody else.
    next_one = others[(others.index(server) + 1) % len(others)]
    knocks = f"timeout 1 bash -c ':</dev/tcp/{next_one.address}/{SSH_PORT}'"
    return (*checks, Check(f"! {{ {knocks}; }} 2>/dev/null", 0))
