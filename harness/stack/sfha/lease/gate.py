"""The kernel gate: an nftables table that drops traffic of guarded addresses unless a lease lets it through.

It sits in the netdev family on ingress and egress of the addresses' interfaces, so that neither a
frozen daemon's kernel nor a thawed daemon's stale announcement (AF_PACKET passes the egress hook)
reaches the wire; in a kernel that lacks that family, at the node's end of bridges (gate_form.py). Set
elements with a timeout are the lease. `delete; add` in one transaction is a compare-and-set: it fails
as a whole when the element has run out. See docs/lease.md.

Before Linux 6.16 a chain goes with its device, without a word. So a renewal proves in the same transaction that
every chain is there and on the device that has its name now; where not, nothing is renewed, nor armed or opened.
"""

import errno
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from ..kernel.netlink import interface_index
from ..kernel.nfnetlink import HookedChain, NetfilterSocket, Transaction, batch, proving, replacing
from ..kernel.nft import Nft, NftError
from .gate_elements import LEASES, TABLE_NAME, TOKEN, Elements
from .gate_form import NETDEV, PRIORITY, Form, GateChain, offered

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
        self._form = NETDEV
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
        self._form = offered(self._nft)
        for left in reversed(range(SETTLE_TRIES)):
            there = _indexes(self._interfaces, self._form)
            try:
                self._put_up(list(there))
            except NftError:
                if not left or there == _indexes(self._interfaces, self._form):
                    raise
                continue  # an interface came or went meanwhile
            if there == _indexes(self._interfaces, self._form):
                break
        self._is_up = True
        self._found(there)
        self._hook_ahead([name for name in self._interfaces if name not in there])

    def _put_up(self, names: Sequence[str]) -> None:
        self.egress = None if self._guard_egress else False
        self._hook(lambda egress: self._table(names, egress=egress), hooks=bool(names))

    def _hook(self, commands: Callable[[bool], str], *, hooks: bool = True) -> None:
        """Run commands that hook something on egress as well, where that can be done."""
        if self._form.always_outward:
            self.egress = self._guard_egress
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
        there = _indexes(self._interfaces, self._form)
        fresh = [name for name, index in there.items() if self._hooked.get(name) != index]
        if fresh:
            try:
                self._hook(lambda egress: self._anew(fresh, egress=egress))
            except NftError as error:
                if NOT_THERE not in str(error):
                    raise
                self.put_up()  # the table is gone as well
                return
            if there != _indexes(self._interfaces, self._form):
                raise NftError("an interface comes and goes")
        self._found(there)

    def index(self, interface: str) -> int:
        """The number of the interface that is guarded under this name, the only one to give an address to.

        May be called by any thread: it asks the kernel and reads what was found last. Raises OSError (ENODEV) where
        there is none, and where it cannot be guarded (EOPNOTSUPP).
        """
        index = interface_index(interface)
        if interface in self._interfaces and self._hooked.get(interface) != index:
            if not self._form.guards(index):
                raise self._form.unguarded(interface)
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
        there = _indexes(wanted, self._form)
        fresh = [name for name, index in there.items() if self._hooked.get(name) != index]
        commands = [self._clear("guarded", gone) for gone in self._elements.minus(elements).families()]
        commands += [
            f"add element {self._form.table} {new.named('guarded')}"
            for new in elements.minus(self._elements).families()
        ]
        # What is no longer guarded must not be left in the lease: guarded again later, it would be open at once.
        commands += [self._clear("lease", gone) for gone in self._held.minus(elements).families()]
        if commands or fresh:
            self._hook(
                lambda egress: "\n".join([*([self._anew(fresh, egress=egress)] if fresh else []), *commands]),
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
        armed = f"add element {self._form.table} {TOKEN.named('armed', self._timeout)}"
        self._nft.run(f"{self._clear('armed', TOKEN)}\n{armed}")

    def open(self) -> bool:
        """Open for the lease time if the arming still lives; False when it does not. Raises GateError."""
        commands = [f"delete element {self._form.table} {TOKEN.named('armed')}", *self._shut(), *self._add_all()]
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
        return all(self._netfilter.interface_name(index) == name for name, index in self._hooked.items())

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
            family = self._form.number
            transaction = replacing(
                [one.in_lease(family) for one in gone], [one.in_lease(family) for one in put], self._lease_s
            )
            proven = batch([*map(proving, chains), *transaction.steps])
            known = self._renewal = (held, wanted, chains, proven)
        return known[3]

    def _found(self, hooked: dict[str, int]) -> None:
        """These interfaces are hooked. Their chains' numbers make sure that it is these, with all of their rules."""
        chains: dict[str, HookedChain] = {}
        whole = dict(hooked)
        for name in hooked:
            for chain in self._chains_of([name], egress=bool(self.egress)):
                handle = self._chain_handle(chain.name)
                if handle is not None:
                    chains[chain.name] = self._form.hooked(chain, handle)
                else:
                    whole.pop(name, None)
        self._chains, self._hooked = list(chains.values()), whole  # at once: ``index`` is called by another thread

    def _chains_of(self, interfaces: Sequence[str], *, egress: bool) -> list[GateChain]:
        return self._form.chains(interfaces, egress=egress)

    def _chain_handle(self, name: str) -> int | None:
        try:
            return self._netfilter.chain_handle(TABLE_NAME, name, self._form.number)
        except OSError as error:
            raise NftError(error.strerror or str(error)) from error

    def _hook_ahead(self, missing: Sequence[str]) -> None:
        """Where the kernel can wait for an interface (from Linux 6.16 on), it hooks it before anybody can use it."""
        for name in missing if self._form.by_device else ():
            with suppress(NftError):
                self._hook(partial(self._hooking, [name]))

    def _anew(self, interfaces: Sequence[str], *, egress: bool) -> str:
        """Hook interfaces, whatever the chains that guard them are hooked on, if they are there."""
        chains = self._chains_of(interfaces, egress=egress)
        known = [chain.name for chain in chains if self._chain_handle(chain.name) is not None]
        gone = [f"flush chain {self._form.table} {name}\ndelete chain {self._form.table} {name}" for name in known]
        return "\n".join([*gone, self._hooking(interfaces, egress)])

    def close(self) -> None:
        """Close at once, and disarm; no error when closed already. Raises GateError."""
        try:
            self._nft.run("\n".join([*self._shut(), self._clear("armed", TOKEN)]))
        except NftError as error:
            if NOT_THERE not in str(error):
                raise
            self.put_up()  # somebody took the table away, as a flush of all rules does

    def _shut(self) -> list[str]:
        return [f"flush set {self._form.table} {name}" for name in LEASES]

    def _add_all(self) -> list[str]:
        families = self._elements.with_token().families()
        return [f"add element {self._form.table} {family.named('lease', self._timeout)}" for family in families]

    def _table(self, interfaces: Sequence[str], *, egress: bool) -> str:
        sets = [
            f"set {name}{number} {{ type {kind}; {flags}}}"
            for number, kind in (("", "ipv4_addr"), ("6", "ipv6_addr"))
            for name, flags in (("guarded", ""), ("lease", "flags timeout; "))
        ]
        sets.append("set armed { type ipv4_addr; flags timeout; }")
        guarded = [f"add element {self._form.table} {family.named('guarded')}" for family in self._elements.families()]
        table = self._form.table
        body = "\n".join([f"add table {table}", f"delete table {table}", f"table {table} {{", *sets, "}"])
        return "\n".join([body, *guarded, self._hooking(interfaces, egress)])

    def _hooking(self, interfaces: Sequence[str], egress: bool) -> str:
        rules = [rule for chain in self._chains_of(interfaces, egress=egress) for rule in self._rules(chain)]
        return "\n".join(rules)

    def _rules(self, chain: GateChain) -> list[str]:
        # Quoted: there are interfaces called inet, a-b and 0lan.
        device = f'device "{chain.device}" ' if chain.device is not None else ""
        kind = f"type filter hook {chain.hook} {device}priority {PRIORITY}; policy accept;"
        inward = (
            "ip daddr @guarded ip daddr != @lease drop",
            # An announcement of the present holder names the address as sender, too: it must get in.
            "arp daddr ip @guarded arp saddr ip != @guarded arp daddr ip != @lease drop",
            "ip6 daddr @guarded6 ip6 daddr != @lease6 drop",
        )
        outward = (
            "ip saddr @guarded ip saddr != @lease drop",
            "arp saddr ip @guarded arp saddr ip != @lease drop",
            "ip6 saddr @guarded6 ip6 saddr != @lease6 drop",
        )
        named = f"{self._form.table} {chain.name}"
        rules = [f"add rule {named} {rule}" for rule in (inward if chain.inward else outward)]
        return [f"add chain {named} {{ {kind} }}", *rules]

    def _clear(self, name: str, elements: Elements) -> str:
        # Adding first makes the deletion succeed whether or not the elements are there.
        named = f"{self._form.table} {elements.named(name)}"
        return f"add element {named}\ndelete element {named}"


def _index(interface: str) -> int:
    try:
        return interface_index(interface)
    except OSError as error:
        raise NftError(str(error.strerror)) from error


def _indexes(interfaces: Sequence[str], form: Form) -> dict[str, int]:
    """The numbers of those that are there, and can be guarded."""
    indexes = {}
    for name in interfaces:
        with suppress(NftError):
            indexes[name] = _index(name)
    return {name: index for name, index in indexes.items() if form.guards(index)}
