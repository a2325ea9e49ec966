"""Where in the kernel the gate sits: what a kernel offers decides.

The rules and the sets are the same in both forms, and so are the transactions of the lease. A kernel without nftables'
family netdev (User-Mode Linux as Debian packages it, small devices) may have the family bridge: an address on a bridge
is guarded there, by what the bridge passes up to this node and takes from it. What it forwards for others is theirs.
"""

import errno
from collections.abc import Iterable
from dataclasses import dataclass

from ..kernel.netlink import is_bridge
from ..kernel.nfnetlink import NFPROTO_BRIDGE, NFPROTO_NETDEV, HookedChain
from ..kernel.nft import Nft, NftError
from .gate_elements import TABLE_NAME

PRIORITY = -300
NOT_OFFERED = "Operation not supported"


@dataclass(frozen=True, slots=True)
class GateChain:
    """A chain of the gate; ``device`` is None where it is hooked on every bridge at once."""

    name: str
    hook: str
    device: str | None
    inward: bool


@dataclass(frozen=True, slots=True)
class Form:
    """A family of nftables, and its hooks for what comes to this node and for what it sends."""

    family: str
    number: int
    inward: str
    outward: str
    by_device: bool
    always_outward: bool
    """Whether a kernel that has the family has the hook for what is sent, too."""

    @property
    def table(self) -> str:
        """The table of the gate, with its family."""
        return f"{self.family} {TABLE_NAME}"

    def chains(self, interfaces: Iterable[str], *, egress: bool) -> list[GateChain]:
        """The chains that guard these interfaces; none where there is none."""
        found: dict[str, GateChain] = {}
        for interface in interfaces:
            # An interface's name may hold what a chain's may not.
            ending, device = (f"_{interface.encode().hex()}", interface) if self.by_device else ("", None)
            for name, hook in (("in", self.inward), *((("out", self.outward),) if egress else ())):
                found[name + ending] = GateChain(name + ending, hook, device, name == "in")
        return list(found.values())

    def hooked(self, chain: GateChain, handle: int) -> HookedChain:
        """The chain as the kernel is asked for it."""
        return HookedChain(self.number, TABLE_NAME, handle, chain.hook, chain.device, PRIORITY)

    def guards(self, index: int) -> bool:
        """Whether an interface can be guarded in this form."""
        return self.by_device or is_bridge(index)

    def unguarded(self, interface: str) -> OSError:
        """What an address is refused with on an interface that cannot be guarded."""
        why = f"{interface} is no bridge, and nftables of this kernel guards nothing else (no family netdev)"
        return OSError(errno.EOPNOTSUPP, why)


NETDEV = Form("netdev", NFPROTO_NETDEV, "ingress", "egress", by_device=True, always_outward=False)
BRIDGE = Form("bridge", NFPROTO_BRIDGE, "input", "output", by_device=False, always_outward=True)
FORMS = (NETDEV, BRIDGE)
"""The first that the kernel offers is taken."""


def offered(nft: Nft) -> Form:
    """The form that this kernel offers. Raises NftError, with the kernel's words, where it has none."""
    refusal: NftError | None = None
    for form in FORMS:
        try:
            nft.run(f"add table {form.table}")
        except NftError as error:
            if NOT_OFFERED not in str(error):
                raise
            refusal = refusal or error
        else:
            return form
    assert refusal is not None
    raise refusal
