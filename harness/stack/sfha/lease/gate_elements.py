"""Elements of the gate's sets."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from ..kernel.nfnetlink import SetElements

TABLE_NAME = "sfha"


@dataclass(frozen=True, slots=True)
class Elements:
    """Addresses in sets of the gate. Sets of IPv6 addresses have names that end in 6.

    The solicited-node multicast address (RFC 4291, section 2.7.1) of an IPv6 address is guarded along with it:
    that is where its neighbours ask for it, so that a closed gate hears no question it could answer.
    """

    v4: tuple[str, ...] = ()
    v6: tuple[str, ...] = ()

    @classmethod
    def of(cls, addresses: Sequence[str]) -> "Elements":
        v6 = [address for address in addresses if ":" in address]
        return cls(
            tuple(dict.fromkeys(address for address in addresses if ":" not in address)),
            tuple(dict.fromkeys([*v6, *map(solicited_node, v6)])),
        )

    def minus(self, other: "Elements") -> "Elements":
        return Elements(
            tuple(one for one in self.v4 if one not in other.v4), tuple(one for one in self.v6 if one not in other.v6)
        )

    def both(self, other: "Elements") -> "Elements":
        return self.minus(self.minus(other))

    def with_token(self) -> "Elements":
        return Elements((*TOKEN.v4, *self.v4), self.v6)

    def families(self) -> list["Elements"]:
        """The elements of one family each, without those that have none."""
        return [one for one in (Elements(v4=self.v4), Elements(v6=self.v6)) if one.v4 or one.v6]

    def named(self, name: str, timeout: str = "") -> str:
        """For one family: the set called ``name``, and the elements in braces."""
        elements = ", ".join(f"{one}{timeout}" for one in self.v4 or self.v6)
        return f"{name}{'6' if self.v6 else ''} {{ {elements} }}"

    def in_lease(self, family: int) -> SetElements:
        """For one family of addresses: the elements of the set ``lease``, in a table of a family of nftables."""
        keys = tuple(ip_address(one).packed for one in self.v4 or self.v6)
        return SetElements(family, TABLE_NAME, "lease6" if self.v6 else "lease", keys)


def solicited_node(address: str) -> str:
    """The multicast address that the neighbours of an IPv6 address ask (RFC 4291, section 2.7.1)."""
    low = IPv6Address(address).packed[-3:]
    return str(IPv6Address(b"\xff\x02" + bytes(9) + b"\x01\xff" + low))


TOKEN = Elements(v4=("0.0.0.0",))
"""Stands for the lease itself, whichever addresses come and go; no packet carries it."""
LEASES = ("lease", "lease6")
