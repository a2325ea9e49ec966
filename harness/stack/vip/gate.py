"""The kernel gate: an nftables table that drops traffic of guarded addresses unless a lease lets it through.

It sits in the netdev family on ingress and egress of the addresses' interfaces, so that neither a
frozen daemon's kernel nor a thawed daemon's stale announcement (AF_PACKET passes the egress hook)
reaches the wire. Set elements with a timeout are the lease. `delete; add` in one transaction is a
compare-and-set: it fails as a whole when the element has run out. See docs/lease.md.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from .netlink import interface_index
from .nfnetlink import NetfilterSocket, SetElements, Transaction, replacing

TABLE_NAME = "sfha"
TABLE = f"netdev {TABLE_NAME}"
PRIORITY = -300
EXPIRED = "No such file or directory"


class GateError(Exception):
    """The kernel, or libnftables, refused a command; the message is theirs."""


class Nft:
    """libnftables (libnftables(3)), called in process: a command takes 0.1 to 0.3 ms instead of an exec."""

    def __init__(self, library: str = "libnftables.so.1") -> None:
        try:
            lib = ctypes.CDLL(library)
        except OSError as error:
            raise GateError(f"{library} is missing (package libnftables1): {error}") from error
        lib.nft_ctx_new.restype = ctypes.c_void_p
        lib.nft_ctx_new.argtypes = [ctypes.c_uint32]
        for name in ("nft_ctx_buffer_error", "nft_ctx_buffer_output"):
            getattr(lib, name).argtypes = [ctypes.c_void_p]
        for name in ("nft_ctx_get_error_buffer", "nft_ctx_get_output_buffer"):
            getattr(lib, name).argtypes = [ctypes.c_void_p]
            getattr(lib, name).restype = ctypes.c_char_p
        lib.nft_run_cmd_from_buffer.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
        self._lib = lib
        self._context = lib.nft_ctx_new(0)
        lib.nft_ctx_buffer_error(self._context)
        lib.nft_ctx_buffer_output(self._context)

    def run(self, commands: str) -> str:
        """Execute commands as one transaction and return their output. Raises GateError."""
        failed = self._lib.nft_run_cmd_from_buffer(self._context, commands.encode())
        error = (self._lib.nft_ctx_get_error_buffer(self._context) or b"").decode(errors="replace")
        output: str = (self._lib.nft_ctx_get_output_buffer(self._context) or b"").decode(errors="replace")
        if failed:
            raise GateError(error.splitlines()[0] if error else "nft failed without a word")
        return output


class Gate:
    """The gate of all guarded addresses of this node; they open and close together.

    An address that is added while the gate is open joins it with the next renewal: only what a majority was
    asked about opens.
    """

    def __init__(
        self, addresses: Sequence[str], interfaces: Sequence[str], lease_s: float, *, guard_egress: bool = True
    ) -> None:
        """``guard_egress`` False lets whatever the node sends pass: for test harnesses only."""
        self._elements = _Elements.of(addresses)
        self._held = self._elements
        self._interfaces = tuple(dict.fromkeys(interfaces))
        self._chained = set(self._interfaces)
        self._lease_s = lease_s
        self._guard_egress = guard_egress
        self._timeout = f" timeout {round(lease_s * 1000)}ms"
        self._nft, self._netfilter = Nft(), NetfilterSocket()
        self._renewal: tuple[_Elements, _Elements, Transaction] | None = None
        self._installed_on: dict[str, int] | None = None
        """Interface to its number; None until the gate is put up, which it can be on no interface at all."""
        self.egress: bool | None = None
        """Whether it guards what leaves, too; None until it is put up."""

    def install(self) -> None:
        """Put the gate up, closed, whatever was there before. Raises GateError."""
        try:
            self._nft.run(self._table(egress=self._guard_egress))
            self.egress = self._guard_egress
        except GateError:  # before Linux 5.16 there is no egress hook
            self._nft.run(self._table(egress=False))
            self.egress = False
        self._chained = set(self._interfaces)
        self._installed_on = self._interface_indexes()

    def reconfigure(self, addresses: Sequence[str], interfaces: Sequence[str]) -> None:
        """Guard exactly these addresses from now on; those guarded before and after notice nothing.

        New ones are closed until the next opening or renewal. Raises GateError; then nothing has changed.
        """
        elements, wanted = _Elements.of(addresses), tuple(dict.fromkeys(interfaces))
        if self._installed_on is None:
            before = self._elements, self._interfaces, self._held
            self._elements, self._interfaces, self._held = elements, wanted, elements
            try:
                self.install()
            except GateError:
                self._elements, self._interfaces, self._held = before
                raise
            return
        indexes = _indexes(wanted)
        commands = [self._chains(name, egress=bool(self.egress)) for name in wanted if name not in self._chained]
        commands += [_clear("guarded", gone) for gone in self._elements.minus(elements).families()]
        commands += [f"add element {TABLE} {new.named('guarded')}" for new in elements.minus(self._elements).families()]
        # What is no longer guarded must not be left in the lease: guarded again later, it would be open at once.
        commands += [_clear("lease", gone) for gone in self._held.minus(elements).families()]
        if commands:
            self._nft.run("\n".join(commands))
        self._chained |= set(wanted)
        self._elements, self._interfaces = elements, wanted
        self._held = self._held.both(elements)
        self._installed_on = {name: self._installed_on.get(name, index) for name, index in indexes.items()}

    def arm(self) -> None:
        """Allow one opening within the lease time. Puts the gate up again where an interface is a new one."""
        if self._interface_indexes() != self._installed_on:
            self.install()
        self._nft.run(f"{_clear('armed', TOKEN)}\nadd element {TABLE} {TOKEN.named('armed', self._timeout)}")

    def open(self) -> bool:
        """Open for the lease time if the arming still lives; False when it does not. Raises GateError."""
        commands = [f"delete element {TABLE} {TOKEN.named('armed')}", *self._shut(), *self._add_all()]
        try:
            self._nft.run("\n".join(commands))
        except GateError as error:
            if EXPIRED in str(error):
                return False
            raise
        self._held = self._elements
        return True

    def renew(self) -> bool:
        """Stay open for the lease time from now if it is still open; False when not. Raises GateError."""
        try:
            self._netfilter.execute(self._renewing())
        except FileNotFoundError:
            return False
        except OSError as error:
            raise GateError(error.strerror or str(error)) from error
        self._held = self._elements
        return True

    def _renewing(self) -> Transaction:
        """What renews the lease: the same bytes for as long as nothing is reconfigured."""
        held, wanted, known = self._held, self._elements, self._renewal
        if known is None or known[0] is not held or known[1] is not wanted:
            gone, put = held.with_token().families(), wanted.with_token().families()
            transaction = replacing([one.in_lease() for one in gone], [one.in_lease() for one in put], self._lease_s)
            known = self._renewal = (held, wanted, transaction)
        return known[2]

    def close(self) -> None:
        """Close at once, and disarm; no error when closed already. Raises GateError."""
        self._nft.run("\n".join([*self._shut(), _clear("armed", TOKEN)]))

    def _shut(self) -> list[str]:
        return [f"flush set {TABLE} {name}" for name in ("lease", "lease6")]

    def _add_all(self) -> list[str]:
        families = self._elements.with_token().families()
        return [f"add element {TABLE} {family.named('lease', self._timeout)}" for family in families]

    def _interface_indexes(self) -> dict[str, int]:
        return _indexes(self._interfaces)

    def _table(self, *, egress: bool) -> str:
        sets = [
            f"set {name}{number} {{ type {kind}; {flags}}}"
            for number, kind in (("", "ipv4_addr"), ("6", "ipv6_addr"))
            for name, flags in (("guarded", ""), ("lease", "flags timeout; "))
        ]
        sets.append("set armed { type ipv4_addr; flags timeout; }")
        guarded = [f"add element {TABLE} {family.named('guarded')}" for family in self._elements.families()]
        chains = [self._chains(interface, egress=egress) for interface in self._interfaces]
        body = "\n".join([f"add table {TABLE}", f"delete table {TABLE}", f"table {TABLE} {{", *sets, "}"])
        return "\n".join([body, *guarded, *chains])

    def _chains(self, interface: str, *, egress: bool) -> str:
        number = interface.encode().hex()  # an interface's name may hold what a chain's may not
        rules = [
            _chain(f"in_{number}", "ingress", interface),
            f"add rule {TABLE} in_{number} ip daddr @guarded ip daddr != @lease drop",
            # An announcement of the present holder names the address as sender, too: it must get in.
            f"add rule {TABLE} in_{number} arp daddr ip @guarded arp saddr ip != @guarded arp daddr ip != @lease drop",
            f"add rule {TABLE} in_{number} ip6 daddr @guarded6 ip6 daddr != @lease6 drop",
        ]
        if egress:
            rules += [
                _chain(f"out_{number}", "egress", interface),
                f"add rule {TABLE} out_{number} ip saddr @guarded ip saddr != @lease drop",
                f"add rule {TABLE} out_{number} arp saddr ip @guarded arp saddr ip != @lease drop",
                f"add rule {TABLE} out_{number} ip6 saddr @guarded6 ip6 saddr != @lease6 drop",
            ]
        return "\n".join(rules)


def _chain(name: str, hook: str, interface: str) -> str:
    kind = f"type filter hook {hook} device {interface} priority {PRIORITY}; policy accept;"
    return f"add chain {TABLE} {name} {{ {kind} }}"


def _indexes(interfaces: Sequence[str]) -> dict[str, int]:
    indexes = {}
    for name in interfaces:
        try:
            indexes[name] = interface_index(name)
        except OSError as error:
            raise GateError(str(error.strerror)) from error
    return indexes


@dataclass(frozen=True, slots=True)
class _Elements:
    """Elements of the gate's sets. Sets of IPv6 addresses have names that end in 6.

    The solicited-node multicast address (RFC 4291, section 2.7.1) of an IPv6 address is guarded along with it:
    that is where its neighbours ask for it, so that a closed gate hears no question it could answer.
    """

    v4: tuple[str, ...] = ()
    v6: tuple[str, ...] = ()

    @classmethod
    def of(cls, addresses: Sequence[str]) -> "_Elements":
        v6 = [address for address in addresses if ":" in address]
        return cls(
            tuple(dict.fromkeys(address for address in addresses if ":" not in address)),
            tuple(dict.fromkeys([*v6, *map(solicited_node, v6)])),
        )

    def minus(self, other: "_Elements") -> "_Elements":
        return _Elements(
            tuple(one for one in self.v4 if one not in other.v4), tuple(one for one in self.v6 if one not in other.v6)
        )

    def both(self, other: "_Elements") -> "_Elements":
        return self.minus(self.minus(other))

    def with_token(self) -> "_Elements":
        return _Elements((*TOKEN.v4, *self.v4), self.v6)

    def families(self) -> list["_Elements"]:
        """The elements of one family each, without those that have none."""
        return [one for one in (_Elements(v4=self.v4), _Elements(v6=self.v6)) if one.v4 or one.v6]

    def named(self, name: str, timeout: str = "") -> str:
        """For one family: the set called ``name``, and the elements in braces."""
        elements = ", ".join(f"{one}{timeout}" for one in self.v4 or self.v6)
        return f"{name}{'6' if self.v6 else ''} {{ {elements} }}"

    def in_lease(self) -> SetElements:
        """For one family: the elements of the set ``lease``."""
        keys = tuple(ip_address(one).packed for one in self.v4 or self.v6)
        return SetElements(TABLE_NAME, "lease6" if self.v6 else "lease", keys)


TOKEN = _Elements(v4=("0.0.0.0",))
"""Stands for the lease itself, whichever addresses come and go; no packet carries it."""


def _clear(name: str, elements: _Elements) -> str:
    # Adding first makes the deletion succeed whether or not the elements are there.
    named = f"{TABLE} {elements.named(name)}"
    return f"add element {named}\ndelete element {named}"


def solicited_node(address: str) -> str:
    """The multicast address that the neighbours of an IPv6 address ask (RFC 4291, section 2.7.1)."""
    low = IPv6Address(address).packed[-3:]
    return str(IPv6Address(b"\xff\x02" + bytes(9) + b"\x01\xff" + low))
