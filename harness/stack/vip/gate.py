"""The kernel gate: an nftables table that drops traffic of guarded addresses unless a lease lets it through.

It sits in the netdev family on ingress and egress of the addresses' interfaces, so that neither a
frozen daemon's kernel nor a thawed daemon's stale announcement (AF_PACKET passes the egress hook)
reaches the wire. Set elements with a timeout are the lease. `delete; add` in one transaction is a
compare-and-set: it fails as a whole when the element has run out. See docs/lease.md.
"""

import ctypes
from collections.abc import Sequence

from .netlink import interface_index

TABLE = "netdev sfha"
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
    """The gate of all guarded addresses of this node; they open and close together."""

    def __init__(self, addresses: Sequence[str], interfaces: Sequence[str], lease_s: float) -> None:
        self._addresses = ", ".join(addresses)
        self._interfaces = tuple(dict.fromkeys(interfaces))
        self._timed = ", ".join(f"{address} timeout {round(lease_s * 1000)}ms" for address in addresses)
        self._nft = Nft()
        self._installed_on: dict[str, int] = {}
        self.egress = False

    def install(self) -> None:
        """Put the gate up, closed, whatever was there before. Raises GateError."""
        try:
            self._nft.run(self._table(egress=True))
            self.egress = True
        except GateError:  # before Linux 5.16 there is no egress hook
            self._nft.run(self._table(egress=False))
            self.egress = False
        self._installed_on = self._interface_indexes()

    def arm(self) -> None:
        """Allow one opening within the lease time. Puts the gate up again where an interface is a new one."""
        if self._interface_indexes() != self._installed_on:
            self.install()
        clear = self._clear("armed")
        self._nft.run(f"{clear}; add element {TABLE} armed {{ {self._timed} }}")

    def open(self) -> bool:
        """Open for the lease time if the arming still lives; False when it does not. Raises GateError."""
        return self._compare_and_set("armed")

    def renew(self) -> bool:
        """Stay open for the lease time from now if it is still open; False when not. Raises GateError."""
        return self._compare_and_set("lease")

    def close(self) -> None:
        """Close at once, and disarm; no error when closed already. Raises GateError."""
        self._nft.run(f"{self._clear('lease')}; {self._clear('armed')}")

    def _compare_and_set(self, consumed: str) -> bool:
        commands = f"delete element {TABLE} {consumed} {{ {self._addresses} }}; "
        commands += f"add element {TABLE} lease {{ {self._timed} }}"
        try:
            self._nft.run(commands)
        except GateError as error:
            if EXPIRED in str(error):
                return False
            raise
        return True

    def _clear(self, name: str) -> str:
        # Adding first makes the deletion succeed whether or not the elements are there.
        elements = f"{TABLE} {name} {{ {self._addresses} }}"
        return f"add element {elements}; delete element {elements}"

    def _interface_indexes(self) -> dict[str, int]:
        indexes = {}
        for name in self._interfaces:
            try:
                indexes[name] = interface_index(name)
            except OSError as error:
                raise GateError(str(error.strerror)) from error
        return indexes

    def _table(self, *, egress: bool) -> str:
        chains = []
        for number, interface in enumerate(self._interfaces):
            chains.append(
                f"chain in{number} {{ type filter hook ingress device {interface} priority {PRIORITY}; policy accept;\n"
                "ip daddr @guarded ip daddr != @lease drop\n"
                # An announcement of the present holder names the address as sender, too: it must get in.
                "arp daddr ip @guarded arp saddr ip != @guarded arp daddr ip != @lease drop\n}"
            )
            if egress:
                chains.append(
                    f"chain out{number} {{ type filter hook egress device {interface} priority {PRIORITY}; "
                    "policy accept;\n"
                    "ip saddr @guarded ip saddr != @lease drop\n"
                    "arp saddr ip @guarded arp saddr ip != @lease drop\n}"
                )
        sets = (
            f"set guarded {{ type ipv4_addr; elements = {{ {self._addresses} }}; }}\n"
            "set lease { type ipv4_addr; flags timeout; }\n"
            "set armed { type ipv4_addr; flags timeout; }"
        )
        body = "\n".join([sets, *chains])
        return f"add table {TABLE}\ndelete table {TABLE}\ntable {TABLE} {{\n{body}\n}}\n"
