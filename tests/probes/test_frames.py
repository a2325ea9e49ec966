"""Frames crafted by an independent library, as the observer reads them; and the observer's own, as it reads them."""

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet

from harness.probes.frames import Seen, read, who_has

MAC, OTHER_MAC = "02:11:22:33:01:02", "02:11:22:33:02:00"
ADDRESS, OTHER = "10.77.1.100", "10.77.1.201"
EVERYBODY = "ff:ff:ff:ff:ff:ff"


def announcement(operation: int) -> Packet:
    return Ether(src=MAC, dst=EVERYBODY) / ARP(op=operation, hwsrc=MAC, psrc=ADDRESS, hwdst=MAC, pdst=ADDRESS)


@pytest.mark.parametrize(
    ("frame", "seen"),
    [
        (announcement(1), Seen("announcement-request", ADDRESS, MAC)),
        (announcement(2), Seen("announcement-reply", ADDRESS, MAC)),
        (
            Ether(src=MAC, dst=OTHER_MAC) / ARP(op=2, hwsrc=MAC, psrc=ADDRESS, hwdst=OTHER_MAC, pdst=OTHER),
            Seen("arp-reply", ADDRESS, MAC),
        ),
        (
            Ether(src=MAC, dst=OTHER_MAC) / IP(src=ADDRESS, dst=OTHER) / TCP(sport=2379, flags="SA"),
            Seen("tcp", ADDRESS, MAC),
        ),
        (Ether(src=OTHER_MAC, dst=EVERYBODY) / ARP(op=1, hwsrc=OTHER_MAC, psrc=OTHER, pdst=ADDRESS), None),
    ],
)
def test_a_frame_says_who_speaks_for_which_address(frame: Packet, seen: Seen | None) -> None:
    assert read(bytes(frame)) == seen


@pytest.mark.parametrize("bit", range(48))
def test_a_bit_that_was_turned_on_the_way_makes_nobody_else_answer(bit: int) -> None:
    """ARP is from 14 bytes on, the sender's MAC from its eighth."""
    frame = bytearray(bytes(Ether(src=MAC, dst=OTHER_MAC) / ARP(op=2, hwsrc=MAC, psrc=ADDRESS, pdst=OTHER)))
    frame[14 + 8 + bit // 8] ^= 1 << bit % 8
    assert read(bytes(frame)) == Seen("arp-reply", ADDRESS, MAC)


def test_who_answers_by_the_mac_of_another_is_taken_at_his_word() -> None:
    forged = Ether(src=OTHER_MAC, dst=MAC) / ARP(op=2, hwsrc=MAC, psrc=ADDRESS, pdst=OTHER)
    assert read(bytes(forged)) == Seen("arp-reply", ADDRESS, MAC)


@pytest.mark.parametrize("length", range(60))
def test_a_frame_that_was_cut_short_says_nothing_wrong(length: int) -> None:
    assert read(bytes(announcement(1))[:length]) in (None, Seen("announcement-request", ADDRESS, MAC))


def test_our_question_is_an_arp_probe_that_teaches_no_cache_anything() -> None:
    arp = Ether(who_has(ADDRESS, bytes.fromhex(OTHER_MAC.replace(":", ""))))[ARP]
    assert (arp.sprintf("%ARP.op%"), arp.psrc, arp.pdst) == ("who-has", "0.0.0.0", ADDRESS)
