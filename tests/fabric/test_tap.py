"""A node whose kernel is its own, plugged in by a tap device; the test is that kernel."""

import asyncio
import errno
import fcntl
import os
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from harness.errors import FabricError
from harness.fabric.canary import End, Like
from harness.fabric.fabric import Fabric
from harness.fabric.layout import isolate
from harness.fabric.namespaces import call_in
from harness.fabric.sieve import of_port
from harness.fabric.tap import ANY_ETHERTYPE, ETHERTYPE_ARP, ETHERTYPE_IPV4, Tap
from tests.fabric.conftest import Built, KeptNamespaces

_TUNSETIFF, _IFF_TAP, _IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
_UDP_PAYLOAD_AT = 14 + 20 + 8
PORT = 4242


@dataclass
class Kernel:
    """What is at the other end of a tap device: it sends frames, and takes those for its address."""

    tap: int
    mac: str
    address: str
    namespace: Path
    port: int = PORT

    @property
    def wire(self) -> End:
        return End(self.namespace, "cable", self.mac, self.address)

    def sender(self) -> "Kernel":
        return self

    def receiver(self, _like: Like) -> "Kernel":
        return self

    def send(self, frame: bytes) -> None:
        os.write(self.tap, frame)

    async def receive(self) -> bytes:
        loop = asyncio.get_running_loop()
        while True:
            readable = asyncio.Event()
            loop.add_reader(self.tap, readable.set)
            try:
                await readable.wait()
            finally:
                loop.remove_reader(self.tap)
            frame = os.read(self.tap, 2048)
            ours = bytes(map(int, self.address.split(".")))
            if frame[12:14] == b"\x08\x00" and frame[30:34] == ours and frame[36:38] == struct.pack("!H", self.port):
                return frame[_UDP_PAYLOAD_AT:]

    def take(self) -> bytes | None:
        """Nobody asks."""
        return None

    def close(self) -> None:
        """Stays open: it lives as long as the tap does."""


@pytest.fixture
def kernel(built: Built, namespaces: KeptNamespaces) -> Iterator[Kernel]:
    """In place of n2."""
    fabric, namespace = built.fabric, namespaces()
    tap = call_in(namespace.path, _tap_at_bridge)
    kernel = Kernel(tap, fabric.plan.mac("n2"), fabric.plan.address("n2"), namespace.path)
    fabric.plug_into_bridge("n2", namespace.pid, "cable")
    fabric.remember_end("n2", kernel)
    yield kernel
    os.close(tap)


def _tap_at_bridge() -> int:
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH22x", b"tap0", _IFF_TAP | _IFF_NO_PI))
    for words in ("link add cable up type bridge", "link set tap0 up master cable"):
        subprocess.run(["ip", *words.split()], check=True)
    return descriptor


async def reaches(fabric: Fabric, within_s: float) -> tuple[bool, bool]:
    """Whether n2 reaches n1, and n1 reaches n2."""
    return await fabric.canary("n2", "n1", within_s), await fabric.canary("n1", "n2", within_s)


async def test_it_is_plugged_in_as_any_other_and_cuts_hold_for_it(built: Built, kernel: Kernel) -> None:
    assert await reaches(built.fabric, 5.0) == (True, True)
    built.fabric.cut("alone", isolate(built.topology, "n2"))
    assert await reaches(built.fabric, 0.1) == (False, False)
    built.fabric.heal("alone")
    assert await reaches(built.fabric, 5.0) == (True, True)


async def test_what_comes_in_by_its_cable_is_heard_on_this_host(built: Built, kernel: Kernel) -> None:
    tap = Tap(built.fabric.wire("n2"), ETHERTYPE_ARP)
    speaker = built.fabric.speaker("n1")
    try:
        mac = bytes.fromhex(built.fabric.plan.mac("n1").replace(":", ""))
        asked = b"\xff" * 6 + mac + struct.pack("!H", ETHERTYPE_ARP) + bytes(46)
        hearing = asyncio.create_task(tap.count(lambda frame: frame[6:12] == mac, within_s=5.0, enough=1))
        while not hearing.done():
            speaker.send(asked)
            await asyncio.sleep(0.01)
        assert hearing.result() == 1
    finally:
        speaker.close()
        await tap.close()


async def test_what_comes_in_for_it_alone_is_heard_at_whichever_interface_it_comes_in(
    built: Built, kernel: Kernel
) -> None:
    """The bridge before such a kernel hands it on, and has none of it itself."""
    wire = built.fabric.wire("n2")
    ears = [Tap(wire, ETHERTYPE_IPV4, of_port("udp", PORT))]
    ears.append(Tap(replace(wire, interface=""), ANY_ETHERTYPE, of_port("udp", PORT)))
    try:
        hearing = [asyncio.create_task(tap.count(lambda frame: True, within_s=0.5, enough=1)) for tap in ears]
        assert await built.fabric.canary("n1", "n2", within_s=5.0, like=Like(port=PORT))
        assert await asyncio.gather(*hearing) == [0, 1]
    finally:
        for tap in ears:
            await tap.close()


async def test_the_tap_stays_up_when_the_cable_is_pulled(built: Built, kernel: Kernel) -> None:
    built.fabric.unplug("n2")
    kernel.send(bytes(60))  # raises OSError where it is down


async def test_another_boot_replaces_the_cable(built: Built, kernel: Kernel, namespaces: KeptNamespaces) -> None:
    namespace = namespaces()
    tap = call_in(namespace.path, _tap_at_bridge)
    try:
        built.fabric.plug_into_bridge("n2", namespace.pid, "cable")
        built.fabric.remember_end("n2", Kernel(tap, kernel.mac, kernel.address, namespace.path))
        assert await reaches(built.fabric, 5.0) == (True, True)
    finally:
        os.close(tap)


class Refusing:
    """A socket that refuses every frame."""

    def __init__(self, number: int) -> None:
        self._number = number

    def send(self, frame: bytes) -> int:
        raise OSError(self._number, os.strerror(self._number))


def refused_with(number: int) -> Tap:
    tap = Tap.__new__(Tap)
    tap._socket = Refusing(number)  # type: ignore[assignment]
    return tap


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.ENOBUFS])
def test_a_frame_that_a_full_link_does_not_take_is_lost(number: int) -> None:
    refused_with(number).say(b"frame")


def test_a_link_that_is_gone_is_told() -> None:
    with pytest.raises(FabricError, match="the stranger cannot send: No such device"):
        refused_with(errno.ENODEV).say(b"frame")
