"""Forgers: programs that send recorded, mutated and invented datagrams and requests, and hosts to run them on.

A *user* is one without root on a member. An *outsider* is a host of the nodes' network that is no node; it makes whole
frames, and so says that it is whoever it likes. A *removed* node has root, its keys, and all that it has recorded.
"""

import asyncio
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from fixtures.sfha.operator import Operator
from fixtures.wiretap import TCP, UDP, Packet
from harness.cluster import Cluster
from harness.engines.engine import NodeFile
from scenarios.sfha.security.attacks import as_nobody

DATAGRAMS, COROSYNC, REQUESTS, WIREGUARD, NOBODYS = 7778, 5405, 7777, 51820, 7779
PLACE = "/tmp/orders.json"
LONGEST_BYTES = 1300

PROGRAM = """
import json, os, random, socket, struct, sys, time
orders = json.load(open(sys.argv[1]))
chance = random.Random(orders["seed"])
recorded = [bytes.fromhex(one) for one in orders["recorded"]]
targets = [tuple(one) for one in orders["targets"]]

def mutated():
    one = bytearray(chance.choice(recorded))
    way = chance.randrange(9)
    if way == 1:
        for _ in range(chance.randrange(1, 9)):
            one[chance.randrange(len(one))] ^= 1 << chance.randrange(8)
    elif way == 2:
        del one[chance.randrange(len(one)):]
    elif way == 3:
        one += chance.randbytes(chance.randrange(1, 200))
    elif way == 4:
        other = chance.choice(recorded)
        one[chance.randrange(len(one)):] = other[chance.randrange(len(other)):]
    elif way == 5:
        at = chance.randrange(len(one))
        one[at:at + 8] = chance.randbytes(8)
    elif way == 6:
        one = bytearray(chance.randbytes(chance.randrange(0, 300)))
    elif way == 7 and len(one) > 33:
        one[17:25] = struct.pack(">Q", int.from_bytes(one[17:25], "big") + chance.randrange(-99, 99) & (1 << 64) - 1)
    elif way == 8:
        one[:1] = bytes([chance.choice((0xD1, 0xD2, 0x5B))])
    return bytes(one[:LONGEST])

def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF

def frame(target, payload):
    mac, address, port = target
    source = chance.choice(orders["sources"])
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(payload), chance.randrange(65536), 0, 64, 17, 0,
                       socket.inet_aton(source), socket.inet_aton(address))
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    udp = struct.pack("!HHHH", port, port, 8 + len(payload), 0)
    link = bytes.fromhex((mac + orders["mac"]).replace(":", "")) + b"\\x08\\x00"
    return link + head + udp + payload

def connection(target, payload):
    address, port = target
    with socket.socket() as link:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        link.settimeout(0.3)
        link.connect((address, port))
        link.sendall(payload)
        link.shutdown(socket.SHUT_WR)
        return b" 200 " in link.recv(100)

def datagram(target, payload):
    packets.sendto(payload, tuple(target))
    return False

how = orders["how"]
if how == "frames":
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    wire.bind(("eth0", 0))
    send = lambda target, payload: wire.send(frame(target, payload)) and False
elif how == "datagrams":
    packets = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    packets.bind((orders["own"], 0))
    send = datagram
else:
    send = connection
sent = refused = believed = 0
began_s = time.monotonic()
for number in range(orders["count"]):
    payload = mutated() if orders["mutate"] else chance.choice(recorded)[:LONGEST]
    try:
        believed += bool(send(chance.choice(targets), payload))
        sent += 1
    except OSError:
        refused += 1
    if number % 32 == 31:
        ahead_s = number / orders["rate"] - (time.monotonic() - began_s)
        if ahead_s > 0:
            time.sleep(ahead_s)
print(json.dumps({"sent": sent, "refused": refused, "believed": believed, "seconds": time.monotonic() - began_s}))
""".replace("LONGEST]", f"{LONGEST_BYTES}]")


@dataclass(frozen=True)
class Orders:
    """What a forger is to do. Frames have targets with a MAC address, the others address and port alone."""

    how: str
    recorded: tuple[str, ...]
    """Hexadecimal digits."""
    targets: tuple[tuple[Any, ...], ...]
    count: int
    rate: float
    own: str = ""
    sources: tuple[str, ...] = ()
    mac: str = ""
    seed: int = 0
    mutate: bool = True


@dataclass(frozen=True)
class Forged:
    """What became of it: sent, refused by a kernel or a peer, answered as genuine."""

    sent: int
    refused: int
    believed: int
    seconds: float


def recording(heard: Iterable[Packet], protocol: int, port: int, most: int = 300) -> tuple[str, ...]:
    """What was sent to a port, without what was said twice."""
    said = (one.payload for one in heard if one.protocol == protocol and one.target_port == port and one.payload)
    return tuple(dict.fromkeys(one.hex() for one in said))[-most:]


def recorded_datagrams(heard: Iterable[Packet]) -> tuple[str, ...]:
    """What daemons said to each other in datagrams."""
    return recording(heard, UDP, DATAGRAMS)


def recorded_requests(heard: Iterable[Packet]) -> tuple[str, ...]:
    """What daemons asked each other, a packet each."""
    return recording(heard, TCP, REQUESTS)


async def by_user(operator: Operator, node: str, orders: Orders, timeout_s: float) -> Forged:
    """Somebody without root on a node carries them out."""
    place = await _given(operator.cluster, node, orders)
    return Forged(**await as_nobody(operator, node, PROGRAM, place, timeout_s=timeout_s))


async def by_root(cluster: Cluster, node: str, orders: Orders, timeout_s: float) -> Forged:
    """Root of a node, which is none of the cluster's any more, carries them out."""
    place = await _given(cluster, node, orders)
    done = await cluster.engine.exec(node, ["python3", "-c", PROGRAM, place], timeout_s=timeout_s)
    assert done.exit_code == 0, done.stderr.decode(errors="replace")
    return Forged(**json.loads(done.stdout))


async def by_outsider(cluster: Cluster, client: str, orders: Orders, timeout_s: float) -> Forged:
    """A host of the network that is no node carries them out."""
    namespace = cluster.life.observation.client_namespaces[client]
    orders_file = cluster.history_path.with_name(f"orders-{orders.seed}.json")
    orders_file.write_text(json.dumps(asdict(orders)))
    command = ["nsenter", f"--net={namespace}", sys.executable, "-c", PROGRAM, str(orders_file)]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    try:
        said, complained = await asyncio.wait_for(process.communicate(), timeout_s)
    finally:
        if process.returncode is None:
            process.kill()
        orders_file.unlink()
    assert process.returncode == 0, complained.decode(errors="replace")
    return Forged(**json.loads(said))


async def _given(cluster: Cluster, node: str, orders: Orders) -> str:
    place = PLACE.replace(".json", f"-{orders.how}-{orders.seed}.json")
    await cluster.engine.write_file(node, NodeFile(place, json.dumps(asdict(orders)).encode()))
    return place
