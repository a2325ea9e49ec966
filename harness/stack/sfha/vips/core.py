"""The addresses that go with the lease: added when it is held, kept alive, announced, removed when it is lost.

Pure. An address has a short life in the kernel and is renewed while held, so that a dead daemon's
address goes by itself; the gate (see lease/gate.py) has closed long before.

The kernel answers when it can, which may be late (see orders.py). So every order has a number, of which only the newest
of an address counts: what comes of an older one changes nothing, however late it comes.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from ..config.vip_settings import USUAL, VipSettings

ADDRESS_LIFE_S = 1
"""The kernel counts address lifetimes in whole seconds; this is the shortest."""
ADDRESS_RENEW_EVERY_S = 0.25
ANNOUNCE_AFTER_S = (0.0, 0.05, 0.2, 1.0, 2.0)
"""A lost first announcement would leave clients on a dead MAC, so it is repeated. Later on (``announce_every_s``) it is
for clients that were cut off while the address moved, whom nobody here can see coming back."""
RETRY_EVERY_S = 0.05
ANSWER_WITHIN_S = 1.0
"""An address is not known to be there if its renewal was not answered for as long as it lives."""
UNANSWERED = f"the kernel has not answered for {ANSWER_WITHIN_S:.0f} s"


@dataclass(frozen=True, slots=True)
class LeaseHeld:
    """The gate is open."""


@dataclass(frozen=True, slots=True)
class LeaseLost:
    """The gate is closed, or closes next."""


@dataclass(frozen=True, slots=True)
class AddressDone:
    """The kernel added (and showed) an address, or refused with ``error``, its own words: the answer to a number."""

    vip: str
    number: int
    error: str | None


@dataclass(frozen=True, slots=True)
class AddressGone:
    """A removal was carried out: nothing that was ordered before it is still to come."""

    vip: str
    number: int


@dataclass(frozen=True, slots=True)
class ContactRegained:
    """A peer was heard again after a silence: the network may have healed."""


@dataclass(frozen=True, slots=True)
class Configured:
    """These are the addresses from now on; the gate is open for all of them where the lease is held."""

    vips: tuple[str, ...]
    settings: Mapping[str, VipSettings] = field(default_factory=dict)
    """By name; of those that are not in it nothing is set."""


@dataclass(frozen=True, slots=True)
class Wake:
    """The time asked for by ``wake_s`` has come."""


@dataclass(frozen=True, slots=True)
class Gone:
    """These addresses went with their interfaces; there may be new ones of the same names."""

    vips: tuple[str, ...]


Signal = Gone | LeaseHeld | LeaseLost | AddressDone | AddressGone | ContactRegained | Configured | Wake


@dataclass(frozen=True, slots=True)
class AddAddress:
    """Add the address, or renew its life; ``verify`` asks for a look whether it is really there."""

    vip: str
    number: int
    verify: bool


@dataclass(frozen=True, slots=True)
class RemoveAddress:
    """Take the address away; whatever was ordered before for it is void."""

    vip: str
    number: int


@dataclass(frozen=True, slots=True)
class Announce:
    """Send gratuitous ARP, request and reply form."""

    vip: str


@dataclass(frozen=True, slots=True)
class Activated:
    """Every address is present and was announced."""


@dataclass(frozen=True, slots=True)
class ActivationFailed:
    """An address could not be added, or nobody knows; it will be tried again."""

    vip: str
    error: str


Action = AddAddress | RemoveAddress | Announce | Activated | ActivationFailed


@dataclass(slots=True)
class _Address:
    present: bool = False
    renew_s: float = 0.0
    announce_s: list[float] = field(default_factory=list)
    failed_with: str | None = None
    unanswered: int | None = None
    """The newest order, until the kernel has answered it; nothing else is ordered meanwhile."""


class VipCore:
    """Keeps the addresses of one node in step with its lease."""

    def __init__(
        self, vips: Sequence[str], settings: Mapping[str, VipSettings] | None = None, *, announce: bool = True
    ) -> None:
        self.wake_s: float | None = None
        self.active = False
        self._names, self._settings = tuple(vips), settings or {}
        self._announces = announce
        self._held: dict[str, _Address] = {}
        self._leased = False
        self._number = 0

    def present(self, vip: str) -> bool:
        """Whether the address was added and not taken away by us since."""
        return vip in self._held and self._held[vip].present

    def error(self, vip: str) -> str | None:
        """Why the address could not be added, in the kernel's words."""
        return self._held[vip].failed_with if vip in self._held else None

    def step(self, signal: Signal, now_s: float) -> list[Action]:
        """Take one signal at ``now_s`` and say what to do."""
        match signal:
            case LeaseHeld():
                self._leased = True
                self._held = {vip: _Address(renew_s=now_s) for vip in self._names}
                actions = self._due(now_s) + self._activate()
            case LeaseLost():
                actions = [self._remove(vip) for vip in self._held]
                self._held, self.active, self._leased = {}, False, False
            case Configured(vips, settings):
                before, self._settings = self._settings, settings
                actions = self._configured(vips, now_s)
                self._plan_announcements(now_s, {vip for vip in vips if before.get(vip) != settings.get(vip)})
            case Gone(vips):
                actions = self._gone(vips, now_s)
            case AddressDone(vip, number, error):
                actions = self._address_done(vip, number, error, now_s)
            case AddressGone(vip, number):
                actions = self._address_gone(vip, number, now_s)
            case ContactRegained():
                self._plan_announcements(now_s, set(self._held))
                actions = self._due(now_s)
            case Wake():
                actions = self._due(now_s)
        times = [time_s for address in self._held.values() for time_s in (address.renew_s, *address.announce_s[:1])]
        self.wake_s = min(times, default=None)
        return actions

    def _answered(self, vip: str, number: int) -> _Address | None:
        """The address whose newest order this was; None for what is late."""
        address = self._held.get(vip)
        if address is None or address.unanswered != number:
            return None
        address.unanswered = None
        return address

    def _address_done(self, vip: str, number: int, error: str | None, now_s: float) -> list[Action]:
        address = self._answered(vip, number)
        if address is None:
            return []
        if error is not None:
            address.renew_s = now_s + RETRY_EVERY_S
            return self._failed(vip, address, error)
        address.failed_with = None
        address.renew_s = now_s + ADDRESS_RENEW_EVERY_S
        if address.present:
            return []
        address.present = True
        if self._announces:
            address.announce_s = [now_s + after_s for after_s in ANNOUNCE_AFTER_S]
        return self._due(now_s) + self._activate()

    def _address_gone(self, vip: str, number: int, now_s: float) -> list[Action]:
        address = self._answered(vip, number)
        if address is None:
            return []
        address.renew_s = now_s
        return self._due(now_s)

    def _failed(self, vip: str, address: _Address, error: str) -> list[Action]:
        known, address.failed_with = address.failed_with, error
        address.present, address.announce_s = False, []
        return [ActivationFailed(vip, error)] if error != known else []

    def _activate(self) -> list[Action]:
        """Say so when everything is present, and only then."""
        if self.active or not self._leased or not all(held.present for held in self._held.values()):
            return []
        self.active = True
        return [Activated()]

    def _configured(self, vips: tuple[str, ...], now_s: float) -> list[Action]:
        self._names = vips
        if not self._leased:
            return []
        actions: list[Action] = [self._remove(vip) for vip in self._held if vip not in vips]
        fresh = [vip for vip in vips if vip not in self._held]
        self._held = {vip: self._held.get(vip) or _Address(renew_s=now_s) for vip in vips}
        self.active = self.active and not fresh
        return actions + self._due(now_s) + self._activate()

    def _gone(self, vips: tuple[str, ...], now_s: float) -> list[Action]:
        """Where something may still be, it is taken away first, and put on the new interface only then."""
        actions: list[Action] = []
        for name in vips:
            before = self._held.get(name)
            if before is None:
                continue
            self._held[name] = anew = _Address(renew_s=now_s, failed_with=before.failed_with)
            self.active = False
            if before.present or before.unanswered is not None or before.failed_with is not None:
                actions.append(self._remove(name))
                anew.unanswered, anew.renew_s = self._number, now_s + ANSWER_WITHIN_S
        return actions + self._due(now_s)

    def _plan_announcements(self, now_s: float, vips: Set[str]) -> None:
        for vip, address in self._held.items():
            if vip in vips and self._announces and address.present:
                address.announce_s = [now_s + after_s for after_s in ANNOUNCE_AFTER_S]

    def _due(self, now_s: float) -> list[Action]:
        actions: list[Action] = []
        for vip, address in self._held.items():
            if address.renew_s <= now_s:
                address.renew_s = now_s + ANSWER_WITHIN_S
                if address.unanswered is None:
                    address.unanswered = self._next_number()
                    actions.append(AddAddress(vip, address.unanswered, verify=not address.present))
                else:
                    actions += self._failed(vip, address, UNANSWERED)
            if address.announce_s and address.announce_s[0] <= now_s:
                later_s = [time_s for time_s in address.announce_s if time_s > now_s]
                address.announce_s = later_s or [now_s + self._settings.get(vip, USUAL).announce_every_s]
                actions.append(Announce(vip))
        return actions

    def _remove(self, vip: str) -> RemoveAddress:
        return RemoveAddress(vip, self._next_number())

    def _next_number(self) -> int:
        self._number += 1
        return self._number
