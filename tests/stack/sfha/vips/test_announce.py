"""The unsolicited neighbour advertisement, read by somebody else's code."""

from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6NDOptDstLLAddr, IPv6
from scapy.layers.l2 import Ether

from harness.stack.sfha.lease.gate_elements import solicited_node
from harness.stack.sfha.vips.arp import announcements, neighbour_advertisement

MAC = b"\x02\x00\x00\x00\x00\x07"


def test_an_ipv6_address_is_announced_to_all_nodes() -> None:
    frame = Ether(neighbour_advertisement(MAC, "fd00::100"))
    assert (frame.dst, frame.src) == ("33:33:00:00:00:01", "02:00:00:00:00:07")
    assert (frame[IPv6].src, frame[IPv6].dst, frame[IPv6].hlim) == ("fd00::100", "ff02::1", 255)
    advertisement = frame[ICMPv6ND_NA]
    assert (advertisement.tgt, advertisement.R, advertisement.S, advertisement.O) == ("fd00::100", 0, 0, 1)
    assert frame[ICMPv6NDOptDstLLAddr].lladdr == "02:00:00:00:00:07"
    sent = advertisement.cksum
    del frame[ICMPv6ND_NA].cksum
    assert Ether(bytes(frame))[ICMPv6ND_NA].cksum == sent


def test_each_family_has_its_own_announcement() -> None:
    assert len(announcements(MAC, "10.0.0.100")) == 2
    assert len(announcements(MAC, "fd00::100")) == 1


def test_the_solicited_node_address() -> None:
    assert solicited_node("2001:db8::a1:b2c3") == "ff02::1:ffa1:b2c3"
