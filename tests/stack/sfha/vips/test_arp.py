"""Our announcements as an independent dissector reads them."""

import pytest
from scapy.layers.l2 import ARP, Ether

from harness.stack.sfha.vips.arp import BROADCAST, REPLY, REQUEST, gratuitous_arp

MAC, ADDRESS = "02:11:22:33:01:02", "10.77.1.100"


@pytest.mark.parametrize(
    ("operation", "name", "target_mac"), [(REQUEST, "who-has", "00:00:00:00:00:00"), (REPLY, "is-at", MAC)]
)
def test_both_forms_are_gratuitous_arp(operation: int, name: str, target_mac: str) -> None:
    frame = Ether(gratuitous_arp(operation, bytes.fromhex(MAC.replace(":", "")), ADDRESS))
    assert (frame.dst, frame.src) == (BROADCAST.hex(":"), MAC)
    arp = frame[ARP]
    assert arp.sprintf("%ARP.op%") == name
    assert (arp.hwsrc, arp.psrc, arp.pdst, arp.hwdst) == (MAC, ADDRESS, ADDRESS, target_mac)
