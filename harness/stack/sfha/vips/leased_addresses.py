"""The lease and its addresses on this node: both cores are told what happens, and what they decide is done in order."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence

from ...kit.messages import Message, message
from ..config.load import Vip
from ..config.vip_settings import VipSettings
from ..lease import core as lease
from . import core as vip
from .address_actions import AddressActions
from .gate_actions import GateActions
from .offer import WAY_LOST_FOR_S, Offer, Trouble, refused
from .orders import Answer, Put, Removal
from .ports import VipPorts
from .status import VipStatus

WAITS = "waits until it is certain that no other node has it (see `sfha stonith status`)"

LEASE = ""
"""Stands for the lease among the names of addresses."""


class AddressTaken(Exception):
    """An address is somebody else's on this node; the message says which."""

    def __init__(self, item: Vip) -> None:
        super().__init__(f"{item.name}: {item.address} is an address of this node already, and not one of sfha's")


class NoSuchInterface(Exception):
    """An interface that is asked for is not there; the message says which."""

    def __init__(self, name: str) -> None:
        super().__init__(f"No such device: {name}")  # the kernel's words


class LeasedAddresses:
    """What a node has, or is about to have. ``send`` says something to one peer, or to all (None).

    ``followed`` is called when anything has changed.
    """

    def __init__(
        self,
        ports: VipPorts,
        vips: Sequence[Vip],
        lease_core: lease.LeaseCore,
        *,
        announce: bool,
        send: Callable[[int | None, lease.Message], None],
        followed: Callable[[], None],
    ) -> None:
        self.lease = lease_core
        self.hands = AddressActions(ports)
        self._gate = GateActions(ports, self.hands)
        self.vips: dict[str, Vip] = {item.name: item for item in vips}
        self._certain = False
        self._left: dict[str, int] = {}
        """Unguarded addresses that were ordered, each by the number of the newest order: they have to be seen to go."""
        self._going: dict[int, Vip] = {}
        """What is being taken away, by the number of the order. Until it is gone the gate guards it."""
        self._guards_more = False
        """Whether the gate guards what there was, too."""
        self._moving: set[int] = set()
        """Those of them that are on an interface that has another name now: the gate follows when they are gone."""
        self.addresses = vip.VipCore(self._wanted(), self._settings(), announce=announce)
        self._ports, self._send, self._followed = ports, send, followed
        self._work: deque[lease.Action | vip.Action] = deque()
        self._vips_to_come = False
        self.offer = Offer()
        self._numbers = self._interface_numbers()

    @property
    def held(self) -> bool:
        """Whether the lease is held."""
        return self.lease.phase is lease.Phase.HOLDING

    @property
    def up(self) -> frozenset[str]:
        """The addresses that are there."""
        return frozenset(name for name in self.vips if self.addresses.present(name))

    @property
    def settled(self) -> bool:
        """Whether every address is there, or is known not to come up."""
        return all(self.addresses.present(name) or self.addresses.error(name) for name in self._wanted())

    @property
    def has_unguarded(self) -> bool:
        """Whether an address is not guarded by the lease, and so must be certain to be nowhere else."""
        return not all(item.guarded for item in self.vips.values())

    @property
    def letting_go(self) -> bool:
        """Whether an address is still being taken away."""
        return bool(self._going)

    @property
    def unguarded_gone(self) -> bool:
        """Whether it is certain that no such address is here."""
        return not self._left and not any(
            self.addresses.present(name) for name, item in self.vips.items() if not item.guarded
        )

    def permit(self, certain: bool) -> None:
        """Whether it is certain that unguarded addresses are nowhere else."""
        self._certain = certain
        if self.has_unguarded:
            self.address_step(self._configured())

    def install(self) -> None:
        """Close the gate and take away what an earlier life may have left; what this node lacks does not stop it."""
        self._gate.attempt(self._ports.gate.put_up)
        if self._ports.gate.egress is False:
            self._ports.log(
                "warning", message="no egress hook in this kernel: stale packets of a thawed node may leave"
            )
        self.hands.clear(self.vips.values())
        self.look()

    @property
    def lacks(self) -> int:
        """How many addresses this node could not offer; the lease itself is one more, where there is no gate."""
        return len(self.offer.lacking)

    @property
    def wake_s(self) -> float | None:
        """When ``look`` may see something new without anything having happened."""
        again_s = self._gate.again_s if self._gate.trouble is not None and not self.held else None
        return min((time_s for time_s in (self.offer.wake_s, again_s) if time_s is not None), default=None)

    def look(self) -> None:
        """See what of the addresses this node could offer."""
        again = self._gate.trouble is not None and self._ports.clock() >= self._gate.again_s
        if again and not self.held and not self._moving:
            self._gate.attempt(self._ports.gate.follow)
        before = self.offer.lacking
        troubles = {LEASE: self._gate.trouble} | {name: self._trouble(item) for name, item in self.vips.items()}
        self.offer.look(troubles, holds=self.held, now_s=self._ports.clock())
        lacking = self.offer.lacking
        for name, why in lacking.items():
            if name not in before and name != LEASE:
                self._ports.log("vip-not-offered", vip=name, why=str(why))
        for name in before:
            if name not in lacking and name in self.vips:
                self._ports.log("vip-offered", vip=name)

    def _trouble(self, item: Vip) -> Trouble | None:
        links = self._ports.links
        if links is not None:
            link = links.link(item.interface)
            if link is None or not (link.up and link.carrier):
                state = "missing" if link is None else "no-carrier" if link.up else "down"
                return Trouble(message(f"link.{state}", interface=item.interface))
            if links.is_lasting(item.address):
                return Trouble(message("link.own", address=item.address))
            if links.has_lost_way(item.interface, item.address):
                return Trouble(message("link.no-way", interface=item.interface), after_s=WAY_LOST_FOR_S)
        if item.guarded and self._gate.trouble is not None:
            return self._gate.trouble
        error = self.addresses.error(item.name)
        return refused(error) if error is not None else None

    def links_changed(self) -> bool:
        """Follow interfaces that came, went, or are others of the same name; True when there was any such.

        An address is taken from where it was, the gate is hooked, and only then the address is put on the new one. With
        an interface that is no more its addresses are gone, too.
        """
        now, before = self._interface_numbers(), self._numbers
        moved = tuple(name for name, item in self.vips.items() if now.get(item.interface) != before.get(item.interface))
        self._numbers = now
        if moved:
            renamed = [name for name in moved if self._exists(before.get(self.vips[name].interface))]
            if not renamed and not self._moving:
                self._gate.attempt(self._ports.gate.follow)
            self.address_step(vip.Gone(moved))
            self._moving |= {number for number, item in self._going.items() if item.name in renamed}
            if renamed and not self._moving:
                self._gate.attempt(self._ports.gate.follow)
        well = [name for name in self.vips if self.offer.trouble(name) and self._trouble(self.vips[name]) is None]
        if well:
            self.address_step(vip.ContactRegained())  # whoever is behind that interface has heard nothing since
        return bool(moved)

    def _exists(self, index: int | None) -> bool:
        links = self._ports.links
        return index is not None and links is not None and links.exists(index)

    def _interface_numbers(self) -> dict[str, int]:
        links = self._ports.links
        found = {item.interface: links.link(item.interface) for item in self.vips.values()} if links else {}
        return {name: link.index for name, link in found.items() if link is not None}

    def lease_step(self, signal: lease.Signal) -> None:
        """Something happened that concerns the lease."""
        self._do(self.lease.step(signal, self._ports.clock()))

    def address_step(self, signal: vip.Signal) -> None:
        """Something happened that concerns the addresses."""
        self._do(self.addresses.step(signal, self._ports.clock()))

    def give_up(self, reason: str) -> None:
        """Let everything go at once."""
        self._do(self.lease.give_up(reason, self._ports.clock()))

    def reconfigure(self, wanted: Mapping[str, Vip], *, leads: bool) -> None:
        """Hold these addresses from now on; those that stay notice nothing.

        Raises what the gate raises, AddressTaken and NoSuchInterface; then nothing has changed: the old addresses are
        let go only when the new ones are known to be possible. Who does not lead takes up an interface that it does
        not have as well: others have it.
        """
        self.refuse_foreign(wanted.values())
        links, known = self._ports.links, {item.interface for item in self.vips.values()}
        for item in wanted.values():
            if leads and item.interface not in known and links is not None and links.link(item.interface) is None:
                raise NoSuchInterface(item.interface)
        stay = {name: item for name, item in self.vips.items() if item.stays_as(wanted.get(name))}
        self._gate.guard([*self.vips.values(), *wanted.values(), *self._going.values()])
        self.address_step(vip.Configured(tuple(name for name in self._wanted() if name in stay), self._settings()))
        self.vips = dict(wanted)
        self._numbers = self._interface_numbers()
        self._guards_more = True
        if not self._going:
            self._gate.attempt(self._guard_what_is_left)
        self._vips_to_come = self.held  # they are added when the gate has opened for them
        if not self._vips_to_come:
            self.address_step(self._configured())

    def refuse_foreign(self, vips: Iterable[Vip]) -> None:
        """Raises AddressTaken: guarding a node's own address would cut the node off.

        One that is guarded already was given to the node by mistake: it is not offered, and nothing else is hindered.
        """
        self._follow_news()
        guarded = {item.address for item in self.vips.values()}
        for item in self.hands.foreign(item for item in vips if item.address not in guarded):
            raise AddressTaken(item)

    def status(self) -> tuple[VipStatus, ...]:
        """Every address as it stands here."""
        return tuple(self._vip_status(item) for item in self.vips.values())

    def _vip_status(self, item: Vip) -> VipStatus:
        name, trouble = item.name, self.offer.trouble(item.name)
        why = self.offer.lacking.get(name)
        error = self.addresses.error(name) or (str(trouble) if self.held and trouble else None)
        return VipStatus(
            name=name,
            address=item.address,
            interface=item.interface,
            held=self.held and self.addresses.present(name) and trouble is None,
            present=self.addresses.present(name),
            error=error or (WAITS if self.held and name not in self._wanted() else None),
            lacks=why.to_json() if isinstance(why, Message) else None,
            settings=item.settings,
        )

    def _wanted(self) -> list[str]:
        """The addresses to have while the lease is held."""
        return [name for name, item in self.vips.items() if item.guarded or self._certain]

    def _settings(self) -> dict[str, VipSettings]:
        return {name: item.settings for name, item in self.vips.items()}

    def _configured(self) -> vip.Configured:
        return vip.Configured(tuple(self._wanted()), self._settings())

    # --- doing ---

    def answered(self, answer: Answer) -> bool:
        """An order was carried out, or will not be; False where that changes nothing: a renewal that went well."""
        order = answer.order
        self.hands.answered(answer)
        if isinstance(order, Put):
            self.address_step(vip.AddressDone(order.vip, order.number, answer.error))
            return order.verify or answer.error is not None
        del self._going[order.number]
        if answer.error is None:
            self._is_gone(order)
        if order.number in self._moving:
            self._moving.discard(order.number)
            if not self._moving:
                self._gate.attempt(self._ports.gate.follow)
        self.address_step(vip.AddressGone(order.vip, order.number))
        return True

    def _is_gone(self, order: Removal) -> None:
        """It was taken away, and whatever was ordered before is over: nothing need guard it any more."""
        if self._left.get(order.vip, order.number) < order.number:
            del self._left[order.vip]
        if self._guards_more and not self._going:
            self._gate.attempt(self._guard_what_is_left)

    def _guard_what_is_left(self) -> None:
        """Guard the addresses that there are, and no others."""
        self._gate.guard(list(self.vips.values()))
        self._guards_more = False

    def _do(self, actions: Sequence[lease.Action | vip.Action]) -> None:
        """Do what was decided, one thing after the other; what comes of it is decided on in turn."""
        self._work.extend(actions)
        news = False
        while self._work:
            action = self._work.popleft()
            news = news or not _is_routine(action)
            match action:
                case lease.GateCall() | lease.Send() | lease.Held() | lease.Lost():
                    self._perform_lease(action)
                case _:
                    self._perform_address(action)
        if news:
            self._followed()

    def _perform_lease(self, action: lease.Action) -> None:
        now_s = self._ports.clock
        match action:
            case lease.GateCall():
                ok = self._call_gate(action)
                self._work.extend(self.lease.step(lease.GateDone(action, ok), now_s()))
                if ok and action in (lease.GateCall.OPEN, lease.GateCall.RENEW) and self._vips_to_come:
                    self._vips_to_come = False
                    self._work.extend(self.addresses.step(self._configured(), now_s()))
            case lease.Send(to, message):
                self._send(to, message)
            case lease.Held():
                self._ports.log("lease-acquired", number=self.lease.number)
                self._work.extend(self.addresses.step(vip.LeaseHeld(), now_s()))
            case lease.Lost(reason):
                self._ports.log("lease-lost", reason=reason)
                self._work.extend(self.addresses.step(vip.LeaseLost(), now_s()))

    def _perform_address(self, action: vip.Action) -> None:
        match action:
            case vip.AddAddress(name, number, verify):
                if not self.vips[name].guarded:
                    self._left[name] = number  # whatever comes of it, it has to be seen to go
                error = self.hands.put(self.vips[name], number, verify=verify)
                if error is not None:
                    done = vip.AddressDone(name, number, error)
                    self._work.extend(self.addresses.step(done, self._ports.clock()))
            case vip.RemoveAddress(name, number):
                self._going[number] = self.vips[name]
                self.hands.remove(self.vips[name], number)
            case vip.Announce(name):
                self.hands.announce(self.vips[name])
            case vip.Activated():
                self._ports.log("resources-activated", vips=list(self.vips))
            case vip.ActivationFailed(name, why):
                self._ports.log("activation-failed", vip=name, error=why)

    def _call_gate(self, call: lease.GateCall) -> bool:
        if self._moving and call is lease.GateCall.ARM:
            return False  # it would follow, and what is where the gate was hooked would be guarded no more
        return self._gate.call(call, self.lease.number + 1, self._follow_news)

    def _follow_news(self) -> bool:
        """Why the kernel refuses may be among what it has said and nobody has read yet: an interface is a new one."""
        links = self._ports.links
        if links is None or not links.read():
            return False
        moved = self.links_changed()
        self._followed()
        return moved


def _is_routine(action: lease.Action | vip.Action) -> bool:
    """What is done many times a second; where it fails, more follows."""
    match action:
        case lease.Send() | lease.GateCall.RENEW | vip.AddAddress(_, _, False):
            return True
    return False
