"""Faults made of packets that a stranger sends."""

from harness.faults.packets.address_conflict import AddressConflict
from harness.faults.packets.arp_flood import ArpFlood
from harness.faults.packets.forge_announcement import ForgeAnnouncement
from harness.faults.packets.forge_vrrp import ForgeVrrp
from harness.faults.packets.mutate_datagrams import MutateDatagrams
from harness.faults.packets.replay_datagrams import ReplayDatagrams
from harness.faults.packets.swallow_announcements import SwallowAnnouncements

__all__ = (
    "AddressConflict",
    "ArpFlood",
    "ForgeAnnouncement",
    "ForgeVrrp",
    "MutateDatagrams",
    "ReplayDatagrams",
    "SwallowAnnouncements",
)
