"""The kernel gate: an nftables table that drops traffic of guarded addresses unless a lease lets it through.

It sits in the netdev family on ingress and egress of the addresses' interfaces, so that neither a
frozen daemon's kernel nor a thawed daemon's stale announcement (AF_PACKET passes the egress hook)
reaches the wire. Set elements with a timeout are the lease. `delete; add` in one transaction is a
compare-and-set: it fails as a whole when the element has run out. See docs/lease.md.

Before Linux 6.16 a chain goes with its device, without a word. So a renewal proves in the same transaction that
every chain is there and on the device that has its name now; where not, nothing is renewed, nor armed or opened.
"""

import errno
import os
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from ..kernel.netlink import interface_index
from ..kernel.nfnetlink import HookedChain, NetfilterSocket, Transaction, batch, proving, replacing
from ..kernel.nft import Nft, NftError
from .gate_elements import LEASES, TABLE_NAME, TOKEN, Elements

TABLE = f"netdev {TABLE_NAME}"
PRIORITY = -300
NOT_THERE = "No such file or directory"
SETTLE_TRIES = 3


class Gate:
    """The gate of all guarded addresses of this node; they open and close together.

    An address that is added while the gate is open joins it with the next renewal: only what a majority was
    asked about opens. An interface that is not there has no chain, and so cannot be given an address (``index``),
    until ``follow`` has hooked it.
    """

    def __init__(
        self, addresses: Sequence[str], interfaces: Sequence[str], lease_s: float, *, guard_egress: bool = True
    ) -> None:
        """``guard_egress`` False lets whatever the node sends pass: for test harnesses only."""
        self._elements = Elements.of(addresses)
        self._held = self._elements
        self._interfaces = tuple(dict.fromkeys(interfaces))
        self._lease_s = lease_s
        self._guard_egress = guard_egress
        self._timeout = f" timeout {round(lease_s * 1000)}ms"
        self._nft, self._netfilter = Nft(), NetfilterSocket()
        self._renewal: tuple[Elements, Elements, list[HookedChain], Transaction] | None = None
        self._hooked: dict[str, int] = {}
        self._chains: list[HookedChain] = []
        self._is_up = False
        self.egress: bool | None = None
        """Whether it guards what leaves, too; None until it is put up."""

    def install(self) -> None:
        """Put the gate up, closed, whatever was there before. Raises GateError, also where an interface is missing."""
        for name in self._interfaces:
            _index(name)
        self.put_up()

    def put_up(self) -> None:
        """The same, on those interfaces that are there. Raises GateError."""
        self._is_up = False
        for left in reversed(range(SETTLE_TRIES)):
            there = _indexes(self._interfaces)
            try:
                self._put_up(list(there))
            except NftError:
                if not left or there == _indexes(self._interfaces):
                    raise
                continue  # an interface came or went meanwhile
            if there == _indexes(self._interfaces):
                break
        self._is_up = True
        self._found(there)
        self._hook_ahead([name for name in self._interfaces if name not in there])

    def _put_up(self, names: Sequence[str]) -> None:
        self.egress = None if self._guard_egress else False
        self._hook(lambda egress: self._table(names, egress=egress), hooks=bool(names))

    def _hook(self, commands: Callable[[bool], str], *, hooks: bool = True) -> None:
        """Run commands that hook something on egress as well, where that can be done."""
        if self.egress is not None or not hooks:
            self._nft.run(commands(bool(self.egress)))
            return
        try:
            self._nft.run(commands(True))
            self.egress = True
        except NftError:  # before Linux 5.16 there is no egress hook
            self._nft.run(commands(False))
            self.egress = False

    def follow(self) -> None:
        """Hook interfaces that are new ones of their name; the others notice nothing. Raises GateError."""
        if not self._is_up:
            self.put_up()
            return
        there = _indexes(self._interfaces)
        fresh = [name for name, index in there.items() if self._hooked.get(name) != index]
        if fresh:
            try:
                self._hook(lambda egress: "\n".join(self._anew(name, egress=egress) for name in fresh))
            except NftError as error:
                if NOT_THERE not in str(error):
                    raise
                self.put_up()  # the table is gone as well
                return
            if there != _indexes(self._interfaces):
                raise NftError("an interface comes and goes")
        self._found(there)

    def index(self, interface: str) -> int:
        """The number of the interface that is guarded under this name, the only one to give an address to.

        May be called by any thread: it asks the kernel and reads what was found last. Raises OSError (ENODEV) where
        there is none.
        """
        index = interface_index(interface)
        if interface in self._interfaces and self._hooked.get(interface) != index:
            raise OSError(errno.ENODEV, f"{os.strerror(errno.ENODEV)}: {interface}")
        return index

    def reconfigure(self, addresses: Sequence[str], interfaces: Sequence[str]) -> None:
        """Guard exactly these addresses from now on; those guarded before and after notice nothing.

        New ones are closed until the next opening or renewal. Raises GateError; then nothing has changed.
        """
        elements, wanted = Elements.of(addresses), tuple(dict.fromkeys(interfaces))
        if not self._is_up:
            before = self._elements, self._interfaces, self._held
            self._elements, self._interfaces, self._held = elements, wanted, elements
            try:
                self.put_up()
            except NftError:
                self._elements, self._interfaces, self._held = before
                raise
            return
        there = _indexes(wanted)
        fresh = [name for name, index in there.items() if self._hooked.get(name) != index]
        commands = [_clear("guarded", gone) for gone in self._elements.minus(elements).families()]
        commands += [f"add element {TABLE} {new.named('guarded')}" for new in elements.minus(self._elements).families()]
        # What is no longer guarded must not be left in the lease: guarded again later, it would be open at once.
        commands += [_clear("lease", gone) for gone in self._held.minus(elements).families()]
        if commands or fresh:
            self._hook(
                lambda egress: "\n".join([*(self._anew(name, egress=egress) for name in fresh), *commands]),
                hooks=bool(fresh),
            )
        known = self._interfaces
        self._elements, self._interfaces = elements, wanted
        self._held = self._held.both(elements)
        self._found(there)
        self._hook_ahead([name for name in wanted if name not in there and name not in known])

    def arm(self) -> None:
        """Allow one opening within the lease time. Puts the gate up again where something of it is gone."""
        if not self._is_up:
            self.install()
        if not self._is_where_it_was():
            self.follow()
        if not self._is_guarded():
            self.put_up()
        self._nft.run(f"{_clear('armed', TOKEN)}\nadd element {TABLE} {TOKEN.named('armed', self._timeout)}")

    def open(self) -> bool:
        """Open for the lease time if the arming still lives; False when it does not. Raises GateError."""
        commands = [f"delete element {TABLE} {TOKEN.named('armed')}", *self._shut(), *self._add_all()]
        try:
            self._nft.run("\n".join(commands))
        except NftError as error:
            if NOT_THERE in str(error):
                return False
            raise
        if not self._is_guarded():  # asked last: from here on every address that is put needs it
            self.close()
            return False
        self._held = self._elements
        return True

    def renew(self) -> bool:
        """Stay open for the lease time from now if it is still open, and guarded; False when not. Raises GateError."""
        if not self._is_where_it_was() or not self._execute(self._renewing()):
            return False
        self._held = self._elements
        return True

    def _is_guarded(self) -> bool:
        """Whether every interface that is hooked still is. Raises GateError."""
        return self._is_where_it_was() and (not self._chains or self._execute(batch([*map(proving, self._chains)])))

    def _is_where_it_was(self) -> bool:
        """Whether the interfaces that are hooked have their names still: from Linux 6.16 on, hooks go with the name."""
        try:
            # Asked by number: a name that is not there has the kernel look for a module of that name, and wait for it.
            return all(socket.if_indextoname(index) == name for name, index in self._hooked.items())
        except OSError:
            return False

    def _execute(self, transaction: Transaction) -> bool:
        """False where a compare-and-set or a proof fails. Raises GateError."""
        try:
            self._netfilter.execute(transaction)
        except (FileNotFoundError, FileExistsError):  # gone; hooked on another device of the name
            return False
        except OSError as error:
            raise NftError(error.strerror or str(error)) from error
        return True

    def _renewing(self) -> Transaction:
        """What renews the lease: the same bytes for as long as nothing is reconfigured."""
        held, wanted, chains, known = self._held, self._elements, self._chains, self._renewal
        if known is None or known[0] is not held or known[1] is not wanted or known[2] is not chains:
            gone, put = held.with_token().families(), wanted.with_token().families()
            transaction = replacing([one.in_lease() for one in gone], [one.in_lease() for one in put], self._lease_s)
            proven = batch([*map(proving, chains), *transaction.steps])
            known = self._renewal = (held, wanted, chains, proven)
        return known[3]

    def _found(self, hooked: dict[str, int]) -> None:
        """These interfaces are hooked. Their chains' numbers make sure that it is these, with all of their rules."""
        chains, whole = [], dict(hooked)
        for name in hooked:
            for chain, hook in _chains_of(name, egress=bool(self.egress)):
                handle = self._chain_handle(chain)
                if handle is not None:
                    chains.append(HookedChain(TABLE_NAME, handle, hook, name, PRIORITY))
                else:
                    whole.pop(name, None)
        self._chains, self._hooked = chains, whole  # at once: ``index`` is called by another thread

    def _chain_handle(self, name: str) -> int | None:
        try:
            return self._netfilter.chain_handle(TABLE_NAME, name)
        except OSError as error:
            raise NftError(error.strerror or str(error)) from error

    def _hook_ahead(self, missing: Sequence[str]) -> None:
        """Where the kernel can wait for an interface (from Linux 6.16 on), it hooks it before anybody can use it."""
        for name in missing:
            with suppress(NftError):
                self._hook(partial(self._hooking, name))

    def _anew(self, interface: str, *, egress: bool) -> str:
        """Hook an interface, whatever the chains of its name are hooked on, if they are there."""
        known = [name for name, _ in _chains_of(interface, egress=egress) if self._chain_handle(name) is not None]
        gone = [f"flush chain {TABLE} {name}\ndelete chain {TABLE} {name}" for name in known]
        return "\n".join([*gone, self._hooking(interface, egress)])

    def close(self) -> None:
        """Close at once, and disarm; no error when closed already. Raises GateError."""
        try:
            self._nft.run("\n".join([*self._shut(), _clear("armed", TOKEN)]))
        except NftError as error:
            if NOT_THERE not in str(error):
                raise
            self.put_up()  # somebody took the table away, as a flush of all rules does

    def _shut(self) -> list[str]:
        return [f"flush set {TABLE} {name}" for name in LEASES]

    def _add_all(self) -> list[str]:
        families = self._elements.with_token().families()
        return [f"add element {TABLE} {family.named('lease', self._timeout)}" for family in families]

    def _table(self, interfaces: Sequence[str], *, egress: bool) -> str:
        sets = [
            f"set {name}{number} {{ type {kind}; {flags}}}"
            for number, kind in (("", "ipv4_addr"), ("6", "ipv6_addr"))
            for name, flags in (("guarded", ""), ("lease", "flags timeout; "))
        ]
        sets.append("set armed { type ipv4_addr; flags timeout; }")
        guarded = [f"add element {TABLE} {family.named('guarded')}" for family in self._elements.families()]
        chains = [self._hooking(interface, egress) for interface in interfaces]
        body = "\n".join([f"add table {TABLE}", f"delete table {TABLE}", f"table {TABLE} {{", *sets, "}"])
        return "\n".join([body, *guarded, *chains])

    def _hooking(self, interface: str, egress: bool) -> str:
        chains = _chains_of(interface, egress=egress)
        into = chains[0][0]
        rules = [
            _chain(into, "ingress", interface),
            f"add rule {TABLE} {into} ip daddr @guarded ip daddr != @lease drop",
            # An announcement of the present holder names the address as sender, too: it must get in.
            f"add rule {TABLE} {into} arp daddr ip @guarded arp saddr ip != @guarded arp daddr ip != @lease drop",
            f"add rule {TABLE} {into} ip6 daddr @guarded6 ip6 daddr != @lease6 drop",
        ]
        for out, hook in chains[1:]:
            rules += [
                _chain(out, hook, interface),
                f"add rule {TABLE} {out} ip saddr @guarded ip saddr != @lease drop",
                f"add rule {TABLE} {out} arp saddr ip @guarded arp saddr ip != @lease drop",
                f"add rule {TABLE} {out} ip6 saddr @guarded6 ip6 saddr != @lease6 drop",
            ]
        return "\n".join(rules)


def _chains_of(interface: str, *, egress: bool) -> list[tuple[str, str]]:
    """Names and hooks of the chains of an interface."""
    number = interface.encode().hex()  # an interface's name may hold what a chain's may not
    return [(f"in_{number}", "ingress"), *([(f"out_{number}", "egress")] if egress else [])]


def _chain(name: str, hook: str, interface: str) -> str:
    # Quoted: there are interfaces called inet, a-b and 0lan.
    kind = f'type filter hook {hook} device "{interface}" priority {PRIORITY}; policy accept;'
    return f"add chain {TABLE} {name} {{ {kind} }}"


def _index(interface: str) -> int:
    try:
        return interface_index(interface)
    except OSError as error:
        raise NftError(str(error.strerror)) from error


def _indexes(interfaces: Sequence[str]) -> dict[str, int]:
    """The numbers of those that are there."""
    indexes = {}
    for name in interfaces:
        with suppress(NftError):
            indexes[name] = _index(name)
    return indexes


def _clear(name: str, elements: Elements) -> str:
    # Adding first makes the deletion succeed whether or not the elements are there.
    named = f"{TABLE} {elements.named(name)}"
    return f"add element {named}\ndelete element {named}"
