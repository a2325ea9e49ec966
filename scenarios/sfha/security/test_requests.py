"""The daemons' API against somebody without rights on a member: used tokens, recordings, slow and many connections."""

import asyncio
import json

from fixtures.expected import undisturbed
from fixtures.marks import alone, promise, software
from fixtures.sfha.asking import asked
from fixtures.sfha.operator import Operator
from fixtures.wiretap import TCP, listening
from harness.clock import now_s
from harness.cluster import Cluster
from harness.conditions import held_by_one_of, quorate
from harness.wait import until
from scenarios.sfha.security.attacks import as_nobody, effects_of, quiet

PORT = 7777
SLOW_S, FLOOD_S = 12.0, 8.0
PATIENCE_S = 3

KNOCK = """
import asyncio, base64, time
from sfha.p2p.client import Caller, OneKey
from sfha.token import core
text, = sys.argv[1:]
value = core._read(text)
caller = Caller("token:" + value["token_id"], OneKey(base64.b64decode(value["auth_key"])))
async def ask():
    found = []
    for body in (None, {}, {"proof": "0" * 64}):
        answer = await caller.call(value["seeder"], value["mesh_ip"], "/registration", body, timeout_s=3)
        found.append([answer.status, answer.body])
    return found
try:
    open("/etc/corosync/authkey")
    readable = True
except PermissionError:
    readable = False
print(json.dumps({"readable": readable, "answers": asyncio.run(ask())}))
"""

SLOW = """
import select
own, target, for_s = sys.argv[1], sys.argv[2], float(sys.argv[3])
def open_one():
    one = socket.socket()
    one.setblocking(False)
    one.bind((own, 0))
    one.connect_ex((target, 7777))
    return one
slow, opened, end_s = [open_one() for _ in range(200)], 200, time.monotonic() + for_s
while time.monotonic() < end_s:
    time.sleep(0.2)
    for place, one in enumerate(slow):
        try:
            one.send(b"G")
        except BlockingIOError:
            pass
        except OSError:
            one.close()
            slow[place] = open_one()
            opened += 1
print(json.dumps({"opened": opened}))
"""

FLOOD = """
import struct
own, target, port, for_s = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
opened, began_s = 0, time.monotonic()
end_s = began_s + for_s
while (now_s := time.monotonic()) < end_s:
    if opened > (now_s - began_s) * 2000:
        time.sleep(0.001)
        continue
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    one.settimeout(0.05)
    try:
        one.connect((target, port))
    except OSError:
        pass
    opened += 1
    one.close()
print(json.dumps({"opened": opened}))
"""

SEND_AGAIN = """
target, text = sys.argv[1:]
end_s = time.monotonic() + 10
while True:
    try:
        one = socket.create_connection((target, 7777), timeout=3)
        break
    except ConnectionRefusedError:
        if time.monotonic() > end_s:
            raise
        time.sleep(0.02)
with one:
    one.sendall(bytes.fromhex(text))
    answer = b""
    try:
        while part := one.recv(4096):
            answer += part
    except OSError:
        pass
print(json.dumps(answer.decode("latin-1")))
"""


async def _pings(operator: Operator, node: str, target: str, count: int) -> int:
    """How many of so many genuine requests of a member are answered in good time."""
    answers = await asked(operator, node, target, "/ping", count=count, timeout_s=PATIENCE_S)
    return sum(status == 200 for status, _ in answers)


async def _ready(cluster: Cluster, vip: str) -> tuple[str, ...]:
    everybody = cluster.all_but(())
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
    await cluster.until(quorate(everybody, everybody), within_s=10)
    cluster.expect(*undisturbed(vip))
    return everybody


@software("sfha-unconfigured", "etcd")
@promise("D-24")
async def test_a_used_or_expired_token_in_the_hands_of_a_local_user(
    cluster: Cluster, vip: str, operator: Operator
) -> None:
    """It opens nothing: neither while the node with its proof is a newcomer, nor used, nor expired, nor later."""
    await operator.founds("n1")
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=10)
    cluster.expect(*undisturbed(vip))
    used, short = await operator.token("n1"), await operator.token("n1", "--ttl", "12s")
    await operator.does("n2", "join", used)
    first = await as_nobody(operator, "n2", KNOCK, used)
    await operator.logged("n1", "newcomer-votes", name="n2")
    await operator.does("n3", "join", short)
    everybody = cluster.all_but(())
    await operator.all_list(everybody, everybody)
    await operator.logged("n1", "newcomer-votes", name="n3")
    knocks = [first, await as_nobody(operator, "n2", KNOCK, used), await as_nobody(operator, "n3", KNOCK, short)]
    await cluster.stay(for_s=12, why="the short token has to expire")
    await operator.does("n1", "restart")
    await operator.all_list(everybody, everybody)
    knocks += [await as_nobody(operator, "n2", KNOCK, used), await as_nobody(operator, "n3", KNOCK, short)]
    for knock in knocks:
        assert not knock["readable"]
        for _, body in knock["answers"]:
            assert "authkey" not in json.dumps(body), "the cluster's key was given away"
            assert "roster" not in body
    assert all(status in (0, 404) for knock in knocks[1:] for status, _ in knock["answers"]), knocks


@promise("D-25")
async def test_a_recorded_request_is_sent_again_after_a_restart(cluster: Cluster, vip: str, operator: Operator) -> None:
    """What n1 signed for n2 and n2 carried out is refused by n2's next life, though its time is still good."""
    await _ready(cluster, vip)
    target = cluster.plan.mesh_address("n2")
    async with listening(cluster, "n2", "wg-sfha") as heard:
        await operator.does("n1", "vip", "add", "second", "198.51.100.77/32", "--interface", "lo")
        recorded = b""

        async def there() -> bool:
            nonlocal recorded
            parts = [
                packet.payload
                for packet in heard
                if packet.protocol == TCP and packet.target == target and packet.target_port == PORT and packet.payload
            ]
            starts = [place for place, part in enumerate(parts) if part.startswith(b"POST ")]
            recorded = b"".join(parts[starts[-1] :]) if starts else b""
            return bool(recorded)

        await until(there, within_s=10, every_s=0.1, what="a request of n1 to n2")
    assert (await as_nobody(operator, "n1", SEND_AGAIN, target, recorded.hex())).startswith("HTTP/1.1 404")
    await operator.does("n2", "restart")
    answer = await as_nobody(operator, "n1", SEND_AGAIN, target, recorded.hex())
    assert answer.split(" ")[1] in ("404", "425"), answer
    assert await _pings(operator, "n1", "n2", 3) == 3


@alone
@promise("D-26")
async def test_slow_connections_of_one_member(cluster: Cluster, vip: str, operator: Operator) -> None:
    """200 of them, that say a letter now and then: the other members are answered, commands on them work."""
    await _ready(cluster, vip)
    own, target = cluster.plan.mesh_address("n3"), cluster.plan.mesh_address("n1")
    attack = asyncio.create_task(as_nobody(operator, "n3", SLOW, own, target, str(SLOW_S)))
    await cluster.stay(for_s=2, why="the slow connections have to be there")
    answered = await _pings(operator, "n2", "n1", 6)
    await operator.does("n2", "vip", "add", "second", "198.51.100.77/32", "--interface", "lo")
    assert not attack.done()
    cluster.note(f"{await attack}: {answered} of 6 pings were answered")
    assert answered == 6
    await cluster.until(held_by_one_of(vip, ("n1",)), within_s=5)


@alone
@promise("D-27")
async def test_a_flood_of_connections_costs_no_lease(cluster: Cluster, vip: str, operator: Operator) -> None:
    """2,000 connections a second from a member to the leader: its lease, and whoever leads, do not notice."""
    await _ready(cluster, vip)
    own, target = cluster.plan.mesh_address("n3"), cluster.plan.mesh_address("n1")
    control = await quiet(cluster, operator, FLOOD_S)
    began_s = now_s()
    attack = asyncio.create_task(as_nobody(operator, "n3", FLOOD, own, target, str(PORT), str(FLOOD_S)))
    await cluster.stay(for_s=FLOOD_S / 2, why="the flood has to be at its height")
    answered = await _pings(operator, "n2", "n1", 3)
    done = await attack
    effects = await effects_of(operator, began_s, now_s())
    cluster.note(f"{done} in {FLOOD_S} s: {effects}, {answered} of 3 pings; without the flood: {control}")
    assert done["opened"] > 200 * FLOOD_S, "the flood was none"
    assert answered == 3
    assert effects.elections == 0
    assert effects.leases_lost <= control.leases_lost
