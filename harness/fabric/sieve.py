"""What the kernel lets through to a packet socket, so that nobody has to look at all that goes by."""

import socket

Sieve = tuple[tuple[int, int, int, int], ...]
"""Instructions of the kernel's packet filter (linux/filter.h): what they refuse never gets to us."""
_ETHERTYPE_IPV4 = 0x0800


def of_port(protocol: str, port: int) -> Sieve:
    """Whole IPv4 packets of this protocol from this port or to it (cBPF; offsets are those of an Ethernet frame)."""
    number = socket.IPPROTO_UDP if protocol == "udp" else socket.IPPROTO_TCP
    load_byte, load_half, load_half_at_x, load_header_length = 0x30, 0x28, 0x48, 0xB1
    if_equal, if_any_bit, give = 0x15, 0x45, 0x06
    return (
        (load_half, 0, 0, 12),
        (if_equal, 0, 10, _ETHERTYPE_IPV4),
        (load_byte, 0, 0, 23),
        (if_equal, 0, 8, number),
        (load_half, 0, 0, 20),
        (if_any_bit, 6, 0, 0x3FFF),  # a fragment
        (load_header_length, 0, 0, 14),
        (load_half_at_x, 0, 0, 14),
        (if_equal, 2, 0, port),
        (load_half_at_x, 0, 0, 16),
        (if_equal, 0, 1, port),
        (give, 0, 0, 0xFFFF),
        (give, 0, 0, 0),
    )
