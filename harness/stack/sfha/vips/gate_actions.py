"""Having what was decided about the gate carried out; and whether there is a gate, or what stands in its way."""

from collections.abc import Callable, Sequence

from ...kit.messages import message
from ..config.load import Vip
from ..lease.core import GateCall
from .address_actions import AddressActions
from .offer import REFUSED_FOR_S, Trouble
from .ports import VipPorts

GATE_AGAIN_AFTER_S = 1.0


class GateActions:
    """The hands of a node on its gate. They complain where those on its addresses do."""

    def __init__(self, ports: VipPorts, hands: AddressActions) -> None:
        self.trouble: Trouble | None = None
        """Why the kernel does not have the gate as it should be."""
        self.again_s = 0.0
        """When to try again, where there is trouble."""
        self._ports, self._hands = ports, hands

    def attempt(self, do: Callable[[], None]) -> None:
        """Do something with the gate; what comes of it is whether there is trouble."""
        try:
            do()
        except self._ports.gate_error as error:
            self._fails(str(error), after_s=0.0)
            self._hands.complain("gate", str(error))
        else:
            self.trouble = None
            self._hands.settled("gate")

    def _fails(self, why: str, after_s: float) -> None:
        self.trouble = Trouble(message("link.gate", reason=why), after_s=after_s)
        self.again_s = self._ports.clock() + GATE_AGAIN_AFTER_S

    def guard(self, every: Sequence[Vip]) -> None:
        """Guard these addresses, as far as they are to be guarded, and no others. Raises what the gate raises."""
        vips = [item for item in every if item.guarded]
        self._ports.gate.reconfigure([item.address for item in vips], [item.interface for item in vips])

    def call(self, call: GateCall, number: int, follow_news: Callable[[], bool]) -> bool:
        """Make a call of the lease, whose next has this number; whether it went well.

        ``follow_news`` follows what the kernel has said and nobody has read; whether there was any such.
        """
        gate = self._ports.gate
        try:
            match call:
                case GateCall.ARM:
                    self._ports.log("lease-requested", number=number)
                    gate.arm()
                    ok = True
                case GateCall.OPEN:
                    ok = gate.open()
                case GateCall.RENEW:
                    ok = gate.renew() or (follow_news() and gate.renew())
                case GateCall.CLOSE:
                    gate.close()
                    ok = True
        except self._ports.gate_error as error:
            self._hands.complain(f"gate {call.value}", str(error))
            self._fails(str(error), after_s=REFUSED_FOR_S)
            return False
        self._hands.settled(f"gate {call.value}")
        self.trouble = None
        if not ok:
            self._ports.log("lease-expired", call=call.value)
        return ok
